"""Where heavy ions come from: escape, solar wind, meteoroids, debris, ionosphere, Moon, and the evolution of the atmosphere."""
