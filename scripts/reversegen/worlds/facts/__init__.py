"""The world of real facts: countries, cities, currencies and chemical elements, from files of Python packages."""
