"""How a table's columns are held in memory, and what NULL is in each of them.

A column is a numpy array with one value per row:

==================  =====================  ==============================
kind                dtype                  NULL
==================  =====================  ==============================
whole number        int64                  ``NULL`` (the lowest int64)
truth value         bool                   never
moment, in UTC      datetime64[us]         ``NaT``
text from a list    ``Categorical``              code -1 (also UUIDs that many rows share)
other text          S, UTF-8 bytes         empty
rarer other text    ``Sparse``             code -1
UUID                V16                    the nil UUID
anything else       object                 ``None``
==================  =====================  ==============================
"""
