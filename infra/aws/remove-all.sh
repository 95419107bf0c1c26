#!/usr/bin/env bash
# Removes a stack and everything that outlives it: data, ledger, models and the endpoint. There is no way back.
#   infra/aws/remove-all.sh FEATURE_GROUP STAGE REGION
set -euo pipefail
cd "$(dirname "$0")/../.."
# The Node that comes with the project, whatever the machine has.
export PATH="$PWD/node_modules/.bin:$PATH"
feature_group=$1 stage=$2
export AWS_REGION=$3 AWS_DEFAULT_REGION=$3

stack=$(node infra/commands/stack-name.ts "$feature_group" "$stage")
resources() {
  aws cloudformation describe-stack-resources --stack-name "$stack" --output text --query \
    "StackResources[?ResourceType=='$1' && LogicalResourceId!='ServerlessDeploymentBucket'].PhysicalResourceId"
}
endpoint=$(aws cloudformation describe-stacks --stack-name "$stack" --output text --query \
  "Stacks[0].Outputs[?OutputKey=='EndpointName'].OutputValue")
buckets=$(resources AWS::S3::Bucket)
tables=$(resources AWS::DynamoDB::Table)

# What trainings have made has the endpoint's name and a number.
aws sagemaker delete-endpoint --endpoint-name "$endpoint" 2>/dev/null || true
for config in $(aws sagemaker list-endpoint-configs --name-contains "$endpoint-" --output text --query 'EndpointConfigs[].EndpointConfigName'); do
  aws sagemaker delete-endpoint-config --endpoint-config-name "$config"
done
for model in $(aws sagemaker list-models --name-contains "$endpoint-" --output text --query 'Models[].ModelName'); do
  aws sagemaker delete-model --model-name "$model"
done
for alarm in $(aws cloudwatch describe-alarms --alarm-name-prefix "$endpoint-e" --output text --query 'MetricAlarms[].AlarmName'); do
  if [[ $alarm =~ ^"$endpoint"-e[0-9]+-a[0-9]+-[0-9a-z]+-(errors|latency)$ ]]; then
    aws cloudwatch delete-alarms --alarm-names "$alarm"
  fi
done

serverless remove --stage "$stage" --region "$AWS_REGION" --param="featureGroup=$feature_group"
for bucket in $buckets; do aws s3 rb "s3://$bucket" --force; done
for table in $tables; do aws dynamodb delete-table --table-name "$table" >/dev/null; done
echo "Removed $stack, its buckets ($buckets) and its tables ($tables)."
