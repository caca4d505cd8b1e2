"""The names of a run's own files, by which its processes and its keeper find each other's."""

MARK = ".gamedata"  # a file that says: this directory is ours, a later run may remove it
PLAN = "plan.json"
SERVER = "server.json"  # how to reach the server, once it answers
ORIGIN = "image.json"  # what the image said that the server was made from; not there without one
NOTES = "templates"  # a directory with a file for each template that the run has used
