// What a launcher tells a sandbox: its environment variables, in the words of either era.

import { join } from 'node:path';

const SANDBOX_TIMEOUT_SECONDS = 7200;

/** How the launcher of today starts a session: git host and token apart from the control plane. */
function currentEnvironment({ controlPlane, gitServer, provider, model, branch }) {
    const { owner, name } = gitServer ? controlPlane.repository : { owner: '', name: '' };
    return {
        PYTHONUNBUFFERED: '1',
        SANDBOX_TIMEOUT_SECONDS: String(SANDBOX_TIMEOUT_SECONDS),
        REPO_OWNER: owner,
        REPO_NAME: name,
        VCS_HOST: gitServer?.vcsHost ?? 'github.com',
        VCS_CLONE_USERNAME: gitServer?.username ?? 'x-access-token',
        ...(gitServer && { VCS_CLONE_TOKEN: gitServer.token }),
        SESSION_CONFIG: JSON.stringify({
            session_id: controlPlane.sessionId, repo_owner: owner || null, repo_name: name || null, provider, model,
            branch: gitServer ? branch : null,
        }),
    };
}

/** The launcher of early 2026: github.com and a token for it, nothing else. */
function olderEnvironment({ controlPlane, gitServer, provider, model }) {
    const { owner, name } = gitServer ? controlPlane.repository : { owner: '', name: '' };
    return {
        SESSION_ID: controlPlane.sessionId,
        REPO_OWNER: owner,
        REPO_NAME: name,
        ...(gitServer && { GITHUB_APP_TOKEN: gitServer.token }),
        SESSION_CONFIG: JSON.stringify({
            session_id: controlPlane.sessionId, repo_owner: owner, repo_name: name, provider, model,
            git_user: { name: 'Ada', email: 'ada@example.com' },
        }),
    };
}

/**
 * The whole environment of a sandbox whose home is `home` and whose certificates are in the file `bundle`, both as the
 * sandbox sees them. Without `gitServer` the session has no repository.
 */
export function sandboxEnvironment({ controlPlane, gitServer, home, bundle, path, provider = 'playground',
    model = 'scripted', branch = 'main' }) {
    const launcher = controlPlane.era === 'older' ? olderEnvironment : currentEnvironment;
    return {
        PATH: path,
        HOME: home,
        LANG: 'C.UTF-8',
        ...controlPlane.environment(),
        ...launcher({ controlPlane, gitServer, provider, model, branch }),
        ...(bundle && { SSL_CERT_FILE: bundle, NODE_EXTRA_CA_CERTS: bundle }),
        OPENCODE_DISABLE_MODELS_FETCH: '1', // its model catalogue is inside; fetching it only costs time offline
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        XDG_CACHE_HOME: join(home, '.cache'),
    };
}
