// From the start of oi-bridge (before fork and exec, which are in the number) to its WebSocket being open at the control
// plane (the handshake accepted there). With TLS: certificates are checked against the system's whole bundle, by name.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueCertificate, makeAuthority, writeBundle } from '../../playground/certificates.mjs';
import { ControlPlane } from '../../playground/control-plane.mjs';
import { Bridge } from '../system/support/bridge.mjs';
import { FakeOpencode } from '../system/support/fake-opencode.mjs';
import { benchmark, least, median, report } from './report.mjs';

const RUNS = 25;
const LIMIT_MS = 10;
const TLS_LIMIT_MS = 25;

async function connectOnce(options) {
    const { controlPlane } = options;
    const known = controlPlane.connections.length;
    const bridge = Bridge.start(options);
    try {
        const { openedAt } = await bridge.stillRuns(controlPlane.waitFor(() => controlPlane.connections[known], { what: 'a connection' }));
        return openedAt - bridge.startedAt;
    } finally {
        await bridge.stop('SIGKILL');
    }
}

async function measure(what, limit, { directory, env, ...options }) {
    const controlPlane = await ControlPlane.start(options);
    const opencode = await FakeOpencode.start();
    try {
        const times = [];
        for (let run = 0; run < RUNS; run++) {
            times.push(await connectOnce({ controlPlane, opencodePort: opencode.port, directory, env }));
        }
        report(`start of oi-bridge to WebSocket open, ${what}`, median(times), 'ms',
            { limit, more: `median of ${RUNS}; least ${least(times).toFixed(1)} ms` });
    } finally {
        await controlPlane.close();
        await opencode.close();
    }
}

await benchmark('connect', 'connect', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'oi-bench-'));
    try {
        const authority = makeAuthority(directory, 'authority');
        const bundle = writeBundle(join(directory, 'bundle.pem'), authority, { withSystem: true });
        await measure('plain', LIMIT_MS, { directory });
        await measure('TLS', TLS_LIMIT_MS, {
            directory, certificate: issueCertificate(authority, 'server', ['localhost']), env: { SSL_CERT_FILE: bundle } });
    } finally {
        rmSync(directory, { recursive: true, force: true });
    }
});
