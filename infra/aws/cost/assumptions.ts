/** What the stack is deployed with by default, and what was assumed about its work where nothing is given. */
export const ASSUMPTIONS = {
  trainingHours: 5 / 60,
  transitionsPerTraining: 65,
  transitionsPerSnapshot: 7,
  /** Days of partitions that a snapshot reads before the last one's watermark: 26 hours, and half a day of it on average. */
  daysReadAgain: 26 / 24 + 0.5,
  /** Snapshots that are kept: of a week, and the newest. */
  snapshotDaysKept: 8,
  ingestGB: 512 / 1_024,
  /** Of an invocation, in seconds, most of it waiting. Assumed, not measured on Lambda. */
  ingestSeconds: 0.1,
  /** 60 µs of a vCPU, which is 1,769 MB of a function: the most that a change takes on other machines. */
  ingestSecondsPerRecord: (0.000_06 * 1_769) / 512,
  /** Bytes of a fence in a page, seconds that a batch's fences lie in, and those whose sets of pages it reads. */
  fenceBytes: 45,
  fenceSeconds: 2,
  fenceSecondsRead: 5,
  /** Changes a second that a shard takes. */
  shardChangesPerSecond: 1_000,
  /** Of all changes, those that are wrong and go to quarantine. Assumed. */
  rejectedShare: 0.001,
  quarantineDays: 180,
  changeLogFilesPerDay: 24 * 60,
  offlineFilesPerDay: 96,
  /** Records of a check, and its seconds, which are spent waiting for most. */
  recordsChecked: 3_000,
  checkSeconds: 30,
  /** 24 of the stack, and two of an endpoint's configuration. */
  alarms: 26,
  alarmsWithoutLabel: 17,
  metrics: 12,
  /** Of the prediction log, beside those: its alarms and metrics, and bytes of a row. Assumed. */
  predictionLogAlarms: 2,
  predictionLogMetrics: 2,
  predictionRowBytes: 500,
  glueDpu: 2,
  glueHours: 10 / 60,
  glueHoursPerGB: 1 / 60,
} as const;
