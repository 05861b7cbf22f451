#!/bin/sh
rsync -a . server:churn
