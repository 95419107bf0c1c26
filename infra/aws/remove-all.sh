#!/bin/sh
# Removes a stack and everything that outlives it, without asking: infra/aws/remove-all.sh FEATURE_GROUP STAGE REGION
cd "$(dirname "$0")/../.." && exec npm run --silent remove -- --definition "${1:?FEATURE_GROUP}" --stage "${2:?STAGE}" --region "${3:?REGION}" --yes
