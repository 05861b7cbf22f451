"""Save ``model.joblib`` as an MLflow model in ``model``; run by ``serving_peers.py`` in the peer's environment."""

import joblib
import mlflow.sklearn

mlflow.sklearn.save_model(
    joblib.load("model.joblib"),
    "model",
    serialization_format="cloudpickle",
    pip_requirements=["scikit-learn"],  # nothing is installed from it: the server runs in this environment
)
