"""Design of an observation: what separates two species, what can be detected, and how long an orbit sees a region."""
