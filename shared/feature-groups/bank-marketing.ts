import { categorical, defineFeatureGroup, fractional, integral } from './define.ts';

const yesNoUnknown = ['no', 'yes', 'unknown'];

/**
 * The worked example: customers of a bank's telephone campaign, and whether they subscribed (`y`).
 * Columns and categories: S. Moro, P. Cortez, P. Rita, "A Data-Driven Approach to Predict the Success of Bank
 * Telemarketing", Decision Support Systems 62:22-31, 2014 (UCI Bank Marketing).
 */
export default defineFeatureGroup({
  name: 'bank-marketing',
  recordIdentifier: 'customer_id',
  features: {
    age: integral({ min: 0, max: 150 }),
    job: categorical([
      'admin.',
      'blue-collar',
      'entrepreneur',
      'housemaid',
      'management',
      'retired',
      'self-employed',
      'services',
      'student',
      'technician',
      'unemployed',
      'unknown',
    ]),
    marital: categorical(['divorced', 'married', 'single', 'unknown']),
    education: categorical([
      'basic.4y',
      'basic.6y',
      'basic.9y',
      'high.school',
      'illiterate',
      'professional.course',
      'university.degree',
      'unknown',
    ]),
    default: categorical(yesNoUnknown),
    housing: categorical(yesNoUnknown),
    loan: categorical(yesNoUnknown),
    contact: categorical(['cellular', 'telephone']),
    month: categorical(['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']),
    day_of_week: categorical(['mon', 'tue', 'wed', 'thu', 'fri']),
    // Seconds of the last call. Known only once the call is over: `training: false` gives the model that can be used
    // before the call.
    duration: integral({ min: 0 }),
    campaign: integral({ min: 0 }),
    // 999: never contacted before.
    pdays: integral({ min: 0 }),
    previous: integral({ min: 0 }),
    poutcome: categorical(['failure', 'nonexistent', 'success']),
    emp_var_rate: fractional(),
    cons_price_idx: fractional(),
    cons_conf_idx: fractional(),
    euribor3m: fractional(),
    nr_employed: fractional(),
  },
  label: { name: 'y' },
});
