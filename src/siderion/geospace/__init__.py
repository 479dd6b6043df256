"""Surroundings of bodies: boundary models, connection to the bow shock, region masks."""
