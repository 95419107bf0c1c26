import { ACCOUNT } from '../protocol/arn.ts';
import { refuseUnknown } from '../protocol/aws-error.ts';
import { signatureOf } from '../protocol/request.ts';
import type { Roles, Service, WireRequest } from '../protocol/service.ts';

/** STS, as far as it says who calls. Nobody gets other credentials here: any will do. */
export function sts(roles: Pick<Roles, 'callerOf'>): Service {
  return {
    name: 'sts',
    query: { version: '2011-06-15', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/' },
    operations: {
      GetCallerIdentity: (input: object, request: WireRequest | undefined) => {
        refuseUnknown('sts', 'GetCallerIdentity', input, []);
        const accessKeyId = (request && signatureOf(request)?.accessKeyId) ?? 'local';
        const caller = roles.callerOf(accessKeyId);
        if (!caller) return { Arn: `arn:aws:iam::${ACCOUNT}:user/local`, UserId: accessKeyId, Account: ACCOUNT };
        const role = caller.roleArn.split(':role/').pop();
        const Arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${caller.session}`;
        return { Arn, UserId: `${accessKeyId}:${caller.session}`, Account: ACCOUNT };
      },
    },
  };
}
