"""The library of components: models, tools, their releases, and calling them.

Promises: a release never changes; every prediction says whether its inputs were in range; a model that crashes, loops
or eats memory takes nothing else down, because it runs in a process of its own.
"""
