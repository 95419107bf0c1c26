/** Score from which on a model that only scores (XGBoost) predicts 1. */
export const THRESHOLD_OF_SCORES = 0.5;
