/** Where DynamoDB's thread begins. What it loads is compiled once, not at every start. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./thread.ts');
