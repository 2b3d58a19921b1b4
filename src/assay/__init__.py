"""assay: what is each training example worth?"""

__version__ = "0.1.0"
