"""The simulation: who plays, buys, trades, logs in and attacks, and when."""
