// SPDX-License-Identifier: Apache-2.0

using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Local.Machines;

/// <summary>What a machine proves itself by and by what it knows the API server, as its home has it now: another process may renew it.</summary>
internal sealed class MachineCredentials(MeshHome home)
{
    private readonly Lock _turn = new();
    private (DateTime Written, X509Certificate2 Authority, X509Certificate2 Own)? _read;

    /// <summary>For a handshake that begins now.</summary>
    public SslClientAuthenticationOptions Options(string host)
    {
        lock (_turn)
        {
            // What was read before is left to the collector: a handshake may still be using it.
            var written = Machine.OwnWritten(home);
            if (_read is not { } read || read.Written != written)
            {
                var (authority, own) = Machine.Credentials(home);
                _read = read = (written, authority, own);
            }

            return ApiTrust.Options(host, read.Authority, read.Own);
        }
    }
}
