"""Nodes of one store: format, codecs and stores brought together."""
