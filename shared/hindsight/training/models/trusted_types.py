"""The types that an artefact may hold; of any other it is refused, unread."""

import importlib

PACKAGE = "pipelines"  # the deployment's own code

# Beyond what skops trusts by itself (scikit-learn's estimators, numpy's arrays and functions): the trees of histogram
# gradient boosting, and the check of its input, which scikit-learn binds with functools.partial.
BUILT_IN = (
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)


def deployed_types() -> tuple[str, ...]:
    """List the types that the deployment's own pipelines need as well: ``TRUSTED_TYPES`` of ``pipelines/``."""
    try:
        package = importlib.import_module(PACKAGE)
    except ModuleNotFoundError as error:
        if error.name != PACKAGE:
            raise
        return ()
    return tuple(getattr(package, "TRUSTED_TYPES", ()))
