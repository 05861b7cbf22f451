import json
import os

import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "data", "plans.json")) as handle:
    PLANS = json.load(handle)


def add_ratio(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(ratio=frame["charges"] / (frame["tenure"] + 1))
