"""Everything that makes the whole world run on one machine; production imports nothing from here (D10)."""
