// What children see of the environment (section 1.6 of the contract): all of the launcher's, with what the rules set and
// without what they take away.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { environmentOf } from '../../playground/processes.mjs';
import { sampleFiles } from '../../playground/sample-repository.mjs';
import { endInOrder, githubIsHere, idleBridge, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const printEnvironment = (name) => `env -0 >"$HOME/${name}.environment"\n`;
const repository = { owner: 'acme', name: 'app', files: { ...sampleFiles,
    '.openinspect/setup.sh': printEnvironment('setup'), '.openinspect/start.sh': printEnvironment('start') } };

/** What a launcher or a user's secret may hold and no child may see (S-72, S-78, S-79, S-80). */
const takenAway = { VNC_PASSWORD: 'vnc-pass', CODE_SERVER_PASSWORD: 'code-server-pass',
    OPENCODE_SERVER_USERNAME: 'somebody', OPENCODE_SERVER_PASSWORD: 'opencode-pass',
    ...Object.fromEntries(['BUILD_ID', 'CALLBACK_URL', 'FAILURE_CALLBACK_URL', 'CALLBACK_TOKEN', 'PROVIDER_SESSION_ID']
        .map((name) => [`OI_REPO_IMAGE_${name}`, ''])) };
/** What is nobody's business but the children's (S-44, S-70, S-81). */
const passedOn = { PYTHONUNBUFFERED: '1', PYTHONPATH: '/app', NODE_PATH: '/usr/lib/node_modules', ANTHROPIC_API_KEY: 'model-key-1',
    GH_TOKEN: 'gh-token-12345', GITHUB_TOKEN: 'github-token-1', OI_GITHUB_TOKEN_IS_FALLBACK: '1',
    NODE_TLS_REJECT_UNAUTHORIZED: '0', A_SECRET_OF_THE_USER: 'a value = with signs\nand lines', EMPTY: '' };
/** OpenCode gets other values (S-74, S-75). */
const replaced = { OPENCODE_CONFIG_CONTENT: '{"model":"inherited"}', OPENCODE_CLIENT: 'inherited' };

const toObject = (entries) => Object.fromEntries(entries.filter(Boolean).map((entry) => {
    const at = entry.indexOf('=');
    return [entry.slice(0, at), entry.slice(at + 1)];
}));
const hookEnvironment = (sandbox, name) =>
    toObject(readFileSync(sandbox.path('root', `${name}.environment`), 'utf8').split('\0'));

const sessions = {
    current: { mode: 'fresh', options: {}, sandbox: {} },
    // A session of that time had no variable of today's.
    older: { mode: undefined, options: { era: 'older' }, sandbox: (playground) => ({ files: { 'root/.gitconfig': githubIsHere(playground) } }) },
};
for (const [era, { mode, options, sandbox: more }] of Object.entries(sessions)) {
    test(`S-70 to S-81, the ${era} era: hooks, OpenCode and the bridge see what they shall, and nothing else is missing`, async (t) => {
        const playground = await playgroundFor(t, { repository, ...options });
        const env = { ...takenAway, ...passedOn, ...replaced };
        const sandbox = await startWithStandIns(playground, { bridge: idleBridge, env,
            ...(typeof more === 'function' ? more(playground) : more) });
        await sandbox.logged('sandbox.startup');
        const [opencode, bridge] = ['opencode-standin', 'stand-in-bridge'].map((name) => toObject(environmentOf(sandbox.find(name).pid)));
        const hooks = ['setup', 'start'].map((name) => hookEnvironment(sandbox, name));
        for (const seen of [...hooks, opencode, bridge]) {
            assert.deepEqual(Object.keys(takenAway).filter((name) => name in seen), []);
            for (const [name, value] of Object.entries(passedOn)) assert.equal(seen[name], value, name);
            assert.equal(seen.OPENINSPECT_BOOT_MODE, mode, 'S-71');
            assert.equal(seen.SESSION_CONFIG, bridge.SESSION_CONFIG);
        }
        for (const seen of [...hooks, bridge]) for (const [name, value] of Object.entries(replaced)) assert.equal(seen[name], value);
        assert.equal(opencode.OPENCODE_CLIENT, 'serve', 'S-75');
        assert.equal(JSON.parse(opencode.OPENCODE_CONFIG_CONTENT).model, 'playground/scripted', 'S-74');
        await endInOrder(sandbox);
    });
}

test('S-71, S-78: setup.sh of an image build knows that it is one, and not whom it reports to', async (t) => {
    const playground = await playgroundFor(t, { repository });
    const sandbox = await startWithStandIns(playground, { bridge: null, env: { IMAGE_BUILD_MODE: 'true', ...passedOn,
        VNC_PASSWORD: 'vnc-pass', CODE_SERVER_PASSWORD: 'code-server-pass' } });
    await sandbox.logged('image_build.complete');
    const seen = hookEnvironment(sandbox, 'setup');
    assert.equal(seen.OPENINSPECT_BOOT_MODE, 'build');
    assert.deepEqual(Object.keys(takenAway).filter((name) => name in seen), []);
    await endInOrder(sandbox);
});
