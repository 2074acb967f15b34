"""The deployment's own pipelines: a module here, named as ``training.pipeline: module:function``, is a candidate.

``TRUSTED_TYPES`` are the types, by their full names, that saved versions may hold beyond scikit-learn's and numpy's;
a version that holds another is neither stored nor loaded. Name a type here only after reading what it does when it is
loaded. Keep this file free of imports: it is read wherever a version is loaded.
"""

TRUSTED_TYPES = ("pipelines.example.Winsorizer",)
