// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;

namespace Weft.Proxy.Control;

/// <summary>
/// Keeps the identity in the proxy's own folder (0700, files 0600), so that a proxy that is restarted while the control plane is away
/// still serves. All three parts are in one file, written beside and renamed, so that a crash leaves the old or the new one.
/// </summary>
internal sealed class IdentityStore(string folder)
{
    private const string Separator = "-----WEFT NEXT PART-----\n";
    private const string FileName = "identity.pem";

    /// <summary>The stored identity if there is one that is still valid; a damaged one counts as none and is said on stderr.</summary>
    public WorkloadIdentity? Load(DateTimeOffset now, TextWriter log)
    {
        var file = Path.Combine(folder, FileName);
        if (folder.Length == 0 || !File.Exists(file))
        {
            return null;
        }

        try
        {
            var parts = File.ReadAllText(file).Split(Separator);
            var identity = parts is [var chain, var key, var roots] ? WorkloadIdentity.Create(chain, key, roots) : null;
            return identity is not null && identity.NotAfter > now ? identity : null;
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or ArgumentException)
        {
            log.WriteLine($"weft-proxy: the stored identity in '{file}' is unusable and will be replaced: {exception.Message}");
            return null;
        }
    }

    public void Save(WorkloadIdentity identity)
    {
        if (folder.Length == 0)
        {
            return;
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var text = $"{identity.ChainPem}{Separator}{identity.KeyPem}{Separator}{identity.RootsPem}";
        AtomicFile.Write(Path.Combine(folder, FileName), System.Text.Encoding.ASCII.GetBytes(text));
    }
}
