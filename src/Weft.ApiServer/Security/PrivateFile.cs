// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using System.Text;

namespace Weft.ApiServer.Security;

/// <summary>Files that only their owner may read, written whole or not at all.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void Write(string path, string text)
    {
        var fresh = path + ".new";
        var settings = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        File.Delete(fresh);
        using (var stream = new FileStream(fresh, settings))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(fresh, path, overwrite: true);
    }

    public static ECDsa LoadOrCreateKey(string path)
    {
        if (File.Exists(path))
        {
            var loaded = ECDsa.Create();
            loaded.ImportFromPem(File.ReadAllText(path));
            return loaded;
        }

        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write(path, key.ExportPkcs8PrivateKeyPem() + "\n");
        return key;
    }
}
