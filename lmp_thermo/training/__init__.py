"""Training: recipes, elemental references, and nequip driven through its own configuration.

Importing this room imports neither torch nor nequip; the process that trains does.
"""
