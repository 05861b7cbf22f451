#!/usr/bin/env python
# coding: utf-8

# # Houses, exported with nbconvert

# In[1]:


import pandas as pd
import matplotlib.pyplot as plt
get_ipython().run_line_magic('matplotlib', 'inline')
get_ipython().system('pip install -q scikit-learn')


# In[2]:


houses = pd.read_csv('data/houses.csv', index_col='Id')
houses.head()


# ## Fill what is missing

# In[3]:


houses['LotFrontage'] = houses.groupby('Neighborhood')['LotFrontage'].transform(lambda x: x.fillna(x.median()))
houses['GarageType'] = houses['GarageType'].fillna('None')
del houses['Fence']


# In[5]:


X = pd.get_dummies(houses.drop(columns='SalePrice'))
y = houses['SalePrice']
plt.scatter(houses['GrLivArea'], y)


# In[6]:


from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split

train_X, val_X, train_y, val_y = train_test_split(X, y, random_state=1)
get_ipython().run_line_magic('time', 'gbr = GradientBoostingRegressor(random_state=1, n_estimators=60).fit(train_X, train_y)')


# In[7]:


val_predictions = gbr.predict(val_X)
mae, r2 = mean_absolute_error(val_y, val_predictions), r2_score(val_y, val_predictions)
print(mae, r2)
