// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>The host's own files as volumes.</summary>
internal static class HostFolder
{
    private const int FormatMask = 0xf000;

    /// <summary>The path, when what is there is what the type asks for; throws <see cref="ConfigException"/> otherwise.</summary>
    public static string Check(string path, string type)
    {
        if (!path.StartsWith('/'))
        {
            throw new ConfigException($"\"{path}\" is no absolute path");
        }

        switch (type)
        {
            case "DirectoryOrCreate" when !Path.Exists(path):
                Directory.CreateDirectory(path);
                return path;
            case "FileOrCreate" when !Path.Exists(path):
                File.WriteAllBytes(path, []);
                return path;
        }

        if (!Path.Exists(path))
        {
            throw new ConfigException(type.Length == 0
                ? $"hostPath {path} does not exist; make it, or use the type DirectoryOrCreate"
                : $"hostPath type check failed: {path} does not exist");
        }

        var isFolder = Directory.Exists(path);
        var wrong = type switch
        {
            "" => (string?)null,
            "Directory" or "DirectoryOrCreate" => isFolder ? null : "a directory",
            "File" or "FileOrCreate" => Kind(path) == 'f' ? null : "a file",
            "Socket" => Kind(path) == 's' ? null : "a socket file",
            "CharDevice" => Kind(path) == 'c' ? null : "a character device",
            "BlockDevice" => Kind(path) == 'b' ? null : "a block device",
            _ => throw new ConfigException($"\"{type}\" is no type of a hostPath"),
        };
        return wrong is null ? path : throw new ConfigException($"hostPath type check failed: {path} is not {wrong}");
    }

    private static char Kind(string path)
    {
        // .NET tells links and folders apart, but no devices; the kernel's own listing does.
        using var stat = Process.Start(new ProcessStartInfo(Programs.Require("stat"), ["-L", "-c", "%f", path])
        {
            RedirectStandardOutput = true,
        })!;
        var text = stat.StandardOutput.ReadToEnd();
        stat.WaitForExit();
        return int.TryParse(text.Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mode)
            ? (mode & FormatMask) switch { 0x8000 => 'f', 0xc000 => 's', 0x2000 => 'c', 0x6000 => 'b', 0x4000 => 'd', _ => '?' }
            : '?';
    }
}
