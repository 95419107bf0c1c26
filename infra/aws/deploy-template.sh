#!/usr/bin/env bash
# Deploys the packaged template by CloudFormation alone, without osls: deploy-template.sh GROUP STAGE REGION
# Repeatable: a stack that is there is updated, and left alone when nothing has changed.
set -euo pipefail
group=$1 stage=$2 region=$3
stack=tributary-$group-$stage
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

npx serverless package --stage "$stage" --region "$region" --param="featureGroup=$group" --package "$build"

# The first template has the bucket for the functions' code and nothing else.
if ! aws cloudformation describe-stacks --stack-name "$stack" --region "$region" >/dev/null 2>&1; then
  aws cloudformation deploy --stack-name "$stack" --region "$region" \
    --template-file "$build/cloudformation-template-create-stack.json" --tags "STAGE=$stage"
fi
bucket=$(aws cloudformation describe-stack-resource --stack-name "$stack" --region "$region" \
  --logical-resource-id ServerlessDeploymentBucket --query StackResourceDetail.PhysicalResourceId --output text)

# The template names the folder in which it looks for the code.
folder=$(npx node -p "require('$build/serverless-state.json').package.artifactDirectoryName")
aws s3 cp "$build" "s3://$bucket/$folder" --recursive --exclude '*' --include '*.zip' --region "$region"
aws cloudformation deploy --stack-name "$stack" --region "$region" --s3-bucket "$bucket" --s3-prefix "$folder" \
  --template-file "$build/cloudformation-template-update-stack.json" --tags "STAGE=$stage" \
  --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset
