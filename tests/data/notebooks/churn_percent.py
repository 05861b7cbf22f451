# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Churn, version controlled
# Kept as a percent file by jupytext.

# %% tags=["parameters"]
test_size = 0.25
seed = 12
n_trees = 50

# %%
# %matplotlib inline
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

# %% [markdown]
# ## Load and clean

# %%
df = pd.read_csv("data/telco_churn.csv")
df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce").fillna(0)

# %%
y = (df["Churn"] == "Yes").astype(int)
X = pd.get_dummies(df.drop(columns=["Churn", "customerID"]), drop_first=True)
X.shape

# %% [markdown]
# ## Train

# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=test_size, random_state=seed)
forest = RandomForestClassifier(n_estimators=n_trees, random_state=seed, min_samples_leaf=3)
forest.fit(X_train, y_train)

# %% [markdown]
# ## Evaluate

# %%
auc = roc_auc_score(y_test, forest.predict_proba(X_test)[:, 1])
print(f"AUC {auc:.4f}")

# %%
pd.Series(forest.feature_importances_, index=X.columns).nlargest(5)
