"""The auth log: logins, failed logins, attacks, and all of them as rows."""
