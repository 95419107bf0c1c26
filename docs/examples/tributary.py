"""Asks a Tributary stack: features of a record, SQL, a training set with its names. It needs boto3 alone.

    python docs/examples/tributary.py features orders 'customer-7|order-7'
    python docs/examples/tributary.py sql tributary-orders-dev 'SELECT channel, count(*) FROM latest GROUP BY channel'
    python docs/examples/tributary.py training-set tributary-orders-dev
"""

import csv
import json
import sys
import time

import boto3


def features(feature_group, identifier):
    """The features of a record now, as texts by name; None when it is not there."""
    client = boto3.client("sagemaker-featurestore-runtime")
    record = client.get_record(
        FeatureGroupName=feature_group, RecordIdentifierValueAsString=identifier
    ).get("Record")
    return record and {it["FeatureName"]: it["ValueAsString"] for it in record}


def sql(stack, statement):
    """Rows of a query, each as texts by column name; NULL is None."""
    athena = boto3.client("athena")
    query = athena.start_query_execution(
        QueryString=statement,
        WorkGroup=stack,
        QueryExecutionContext={"Database": stack.replace("-", "_")},
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        if status["State"] in ("FAILED", "CANCELLED"):
            raise RuntimeError(f"The query is {status['State']}: {status.get('StateChangeReason')}")
        time.sleep(0.5)
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
    rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    # The first row of a SELECT holds the names.
    names = [it.get("VarCharValue") for it in rows[0]]
    return [{name: it.get("VarCharValue") for name, it in zip(names, row)} for row in rows[1:]]


def data_bucket(stack):
    """The data bucket, as the stack's outputs name it."""
    outputs = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return next(it["OutputValue"] for it in outputs if it["OutputKey"] == "DataBucketName")


def training_set(stack, model=None):
    """Rows of a model's training set, the newest unless one is named: numbers by column name, and their part."""
    s3 = boto3.client("s3")
    bucket = data_bucket(stack)
    prefix = f"training-sets/{model}/" if model else "training-sets/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    objects = [it for page in pages for it in page.get("Contents", [])]
    named = [it for it in objects if it["Key"].endswith("/columns.json")]
    if not named:
        raise RuntimeError(f"There is no training set under s3://{bucket}/{prefix}: no training has scored its rows yet.")
    folder = max(named, key=lambda it: it["LastModified"])["Key"].rsplit("/", 1)[0]
    read = lambda key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    columns = json.loads(read(f"{folder}/columns.json"))["columns"]
    rows = []
    for key in (it["Key"] for it in objects if it["Key"].startswith(f"{folder}/part=")):
        part = key.split("/part=")[1].split("/")[0]
        for row in csv.reader(read(key).splitlines()):
            rows.append({"part": part, **{name: float(number) for name, number in zip(columns, row)}})
    return rows


if __name__ == "__main__":
    ask = {"features": features, "sql": sql, "training-set": training_set}
    if len(sys.argv) < 3 or sys.argv[1] not in ask:
        sys.exit(__doc__)
    print(json.dumps(ask[sys.argv[1]](*sys.argv[2:]), indent=2))
