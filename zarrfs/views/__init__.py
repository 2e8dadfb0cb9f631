"""File formats as segments: header bytes, spans of the flat file, padding. Pure."""
