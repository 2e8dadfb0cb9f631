"""Arrays <-> bytes. Pure: codecs say which bytes they need and never fetch them."""
