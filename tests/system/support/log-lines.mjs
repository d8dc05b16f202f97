// The supervisor's log lines (contract section 13): what every line has, and what the lines of each event have besides.

import assert from 'node:assert/strict';

const ENVELOPE = ['level', 'service', 'component', 'event', 'ts'];
const IDS = ['sandbox_id', 'session_id']; // left out when empty
const FAILURE = 'error_type error_message'; // S-466
const FAILED_HOOK = 'exit_code script duration_ms boot_mode output_tail?'; // S-264: none in a build

/** event -> [level, or any of some, and its fields; "?" after a field: it may be missing]. S-471 to S-513, S-263. */
const EVENTS = {
    'supervisor.start': ['info', 'repo_owner repo_name'],
    'supervisor.no_repo_configured': ['info', ''], 'supervisor.image_build_mode': ['info', ''],
    'supervisor.restored_from_snapshot': ['info', ''], 'supervisor.from_repo_image': ['info', 'build_sha'],
    'sandbox.startup': ['info error', 'repo_owner? repo_name? boot_mode restored_from_snapshot from_repo_image git_sync_success ' +
        'setup_success start_success opencode_ready duration_ms outcome phase_ms'],
    'supervisor.error': ['error', FAILURE], 'supervisor.fatal': ['error', 'error_message'],
    'supervisor.report_error_failed': ['error', FAILURE], 'supervisor.report_error_rejected': ['warning', 'status'],
    'supervisor.signal': ['info', 'signal_name'],
    'supervisor.shutdown_start': ['info', ''], 'supervisor.shutdown_complete': ['info', ''],
    'supervisor.boot_warning': ['warning', 'scope warning_message repo_owner repo_name'],
    'supervisor.boot_warning_write_failed': ['warning', FAILURE], 'supervisor.repo_manifest_write_failed': ['warning', FAILURE],
    'supervisor.era': ['info', 'era reason'], 'supervisor.config_invalid': ['error', FAILURE],
    'workspace.manifest_written': ['info', 'repo_count'], 'workspace.manifest_write_failed': ['warning', FAILURE],
    'git.skip_clone': ['info', 'reason'], 'git.update_skip': ['info', 'reason repo_owner repo_name'],
    'git.clone_start': ['info', 'repo_owner repo_name'], 'git.clone_complete': ['info', 'repo_path'],
    'git.clone_error': ['error', `repo_owner repo_name stderr ${FAILURE}`],
    'git.clone_timeout': ['error', 'repo_owner repo_name timeout_seconds'],
    'git.fetch_timeout': ['error', 'repo_owner repo_name timeout_seconds'],
    'git.set_url_failed': ['error', 'stderr'], 'git.fetch_error': ['error', 'stderr'],
    'git.checkout_error': ['warning', 'stderr target_branch'],
    'git.update_error': ['error', `${FAILURE} repo_owner repo_name`],
    'git.restore_refresh_error': ['warning', `${FAILURE} repo_owner repo_name`],
    'git.rev_parse_error': ['warning', 'error'], 'git.sync_complete': ['info', 'head_sha repository_shas?'],
    'git.default_branch': ['info', 'branch'], 'git.base_mismatch': ['warning', ''],
    'git.rebase_error': ['warning', 'base_branch'], 'git.quick_fetch_skip': ['info', 'reason'],
    'git.quick_fetch_error': ['warning', ''], 'git.snapshot_status': ['info', 'commits_behind current_branch'],
    'git.identity_configured': ['info', 'git_name git_email'], 'git.identity_error': ['error', FAILURE],
    'credential_helper.shim_write_failed': ['warning', 'error'],
    'credential_helper.config_failed': ['warning', 'config_key? stderr?'],
    'setup.start': ['info', 'script repo_owner repo_name timeout_seconds boot_mode'],
    'start.start': ['info', 'script repo_owner repo_name timeout_seconds boot_mode'],
    'setup.complete': ['info', 'exit_code script duration_ms boot_mode'],
    'start.complete': ['info', 'exit_code script duration_ms boot_mode'],
    'setup.failed': ['error', FAILED_HOOK], 'start.failed': ['error', FAILED_HOOK],
    'setup.timeout': ['error', `timeout_seconds ${FAILED_HOOK}`], 'start.timeout': ['error', `timeout_seconds ${FAILED_HOOK}`],
    'setup.error': ['error', `${FAILURE} script duration_ms boot_mode`], 'start.error': ['error', `${FAILURE} script duration_ms boot_mode`],
    'tunnel.expected_ports_parse_failed': ['warning', 'value raw'],
    'tunnel.env_file_ready': ['info', 'path ports wait_ms'], 'tunnel.env_file_wait_timeout': ['warning', 'path ports timeout_seconds'],
    'managed_skills.materialized': ['info', 'manifest_sha256 skill_count'],
    'managed_skills.collisions_dropped': ['warning', 'collisions'], 'managed_skills.unsupported': ['info', 'status'],
    'managed_skills.failed': ['error', 'error_code error_message'],
    'opencode.start': ['info', ''], 'opencode.ready': ['info', ''],
    'opencode.workspace_assembled': ['info', 'file_count repo_count'], 'opencode.repo_deps_staged': ['info', 'dir duration_ms'],
    'opencode.global_deps_seeded': ['info', 'config_dir duration_ms'], 'opencode.global_deps_skip': ['info', 'config_dir reason'],
    'opencode.skills_installed': ['info', 'skills_path'], 'bin.installed': ['info', 'script'],
    'opencode.global_deps_seed_failed': ['warning', FAILURE], 'opencode.git_excludes_failed': ['warning', 'error_message'],
    'opencode.crash': ['error', 'exit_code restart_count'], 'opencode.restart': ['info', 'delay_s restart_count'],
    'opencode.max_restarts': ['error', 'restart_count'], 'opencode.stop_timeout': ['warning', ''],
    'managed_oauth.setup': ['info', 'providers'], 'managed_oauth.existing_auth_invalid': ['warning', ''],
    'managed_oauth.setup_error': ['warning', FAILURE],
    'mcp.install_packages': ['info', 'packages'], 'mcp.packages_installed': ['info', 'packages'],
    'mcp.packages_install_failed': ['warning', 'packages stderr'], 'mcp.packages_install_timeout': ['warning', 'packages timeout_seconds'],
    'mcp.packages_install_error': ['warning', 'packages'], 'mcp.invalid_package_name': ['warning', 'package note'],
    'mcp.configured': ['info', 'count'],
    'bridge.start': ['info', ''], 'bridge.started': ['info', ''], 'bridge.skip': ['info', 'reason'],
    'bridge.graceful_exit': ['info', 'exit_code'], 'bridge.restart': ['info', 'delay_s restart_count'],
    'bridge.early_exit': ['warning', 'exit_code'], 'bridge.stop_timeout': ['warning', ''],
    'bridge.startup_crash': ['error', 'exit_code output'], 'bridge.crash': ['error', 'exit_code restart_count'],
    'bridge.max_restarts': ['error', 'restart_count'],
    'image_build.awaiting_start': ['info', 'build_id'], 'image_build.launch_accepted': ['info', 'build_id provider_session_id'],
    'image_build.launch_cancelled': ['info', ''], 'image_build.launch_failed': ['error', 'build_id? reason'],
    'image_build.complete': ['info', 'duration_ms runtime_version'], 'image_build.cancelled': ['info', 'reason'],
    'repo_image.callback_success': ['info', 'build_id url attempt status'],
    'repo_image.callback_retry': ['warning', 'build_id url attempt max_retries delay_s error'],
    'repo_image.callback_failed': ['error', 'build_id url attempt'], 'repo_image.callback_misconfigured': ['error', 'missing'],
    'supervisor.status': ['info', 'uptime_ms opencode_pid opencode_deaths bridge_pid bridge_deaths orphans_reaped'],
    'process.reaped': ['debug', 'pid exit_code'], 'log.dropped': ['warning', 'lines'],
    'gh_wrapper.install_failed': ['warning', ''],
};

/** Every line of the supervisor among `logs` is as section 13 has it. */
export function checkLogLines(logs) {
    for (const entry of logs.filter(({ component }) => component === 'supervisor')) {
        const line = JSON.stringify(entry);
        const ids = IDS.filter((id) => id in entry);
        assert.deepEqual(Object.keys(entry).slice(0, ENVELOPE.length + ids.length), [...ENVELOPE, ...ids], `S-462: ${line}`);
        assert.ok(Number.isInteger(entry.ts) && entry.ts > 1e12, `S-462: ${line}`);
        assert.match(entry.level, /^(info|warning|error)$/, `S-463: ${line}`);
        assert.ok(!('error_stack' in entry), `S-466: ${line}`);
        if (!EVENTS[entry.event]) continue;
        const [levels, fields] = EVENTS[entry.event];
        assert.ok(levels.split(' ').includes(entry.level), `${line} should be ${levels}`);
        for (const field of fields.split(' ').filter((name) => name && !name.endsWith('?'))) {
            assert.ok(field in entry, `${line} lacks ${field}`);
        }
    }
}
