import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../src/shared/config/load.ts';
import { roleEnvironment } from '../../../../src/shared/config/role-file.ts';

const env = { MULTI_AGENT_PASS_ENV: 'HTTP_PROXY, NPM_MIRROR,UNSET', HTTP_PROXY: 'http://proxy.example', NPM_MIRROR: 'm', OTHER: 'o' };

describe('MULTI_AGENT_PASS_ENV', () => {
  it('puts what it names, and is set, into the role files and from there into the configuration', () => {
    const roleFile = roleEnvironment('coder', env);

    expect(roleFile).toMatchObject({ HTTP_PROXY: 'http://proxy.example', NPM_MIRROR: 'm' });
    expect(roleFile).not.toHaveProperty('OTHER');
    expect(loadConfig('coder', roleFile).passedEnvironment).toEqual({ HTTP_PROXY: 'http://proxy.example', NPM_MIRROR: 'm' });
  });

  it("never takes the system's own", () => {
    expect(() => loadConfig('coder', { MULTI_AGENT_PASS_ENV: 'HTTP_PROXY,GITHUB_TOKEN', GITHUB_TOKEN: 'x' })).toThrow(
      /MULTI_AGENT_PASS_ENV/,
    );
    expect(roleEnvironment('coder', { MULTI_AGENT_PASS_ENV: 'GITHUB_TOKEN', GITHUB_TOKEN: 'x' })).not.toHaveProperty('GITHUB_TOKEN');
  });
});
