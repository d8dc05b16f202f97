// Imported before a test file, it makes that file's bridges connect to a Durable Object.

import { after } from 'node:test';
import { workerd } from '../../durable-object/workerd.mjs';
import { useDurableObject } from './bridge.mjs';

useDurableObject();
after(() => workerd.stop());
