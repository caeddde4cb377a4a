// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Local.Processes;

/// <summary>
/// Places that every container has and the host has not, made in the node's own mount namespace: the folder above is covered with one that
/// holds the same things, each bound to its original, and the new place. Doing it once here saves every container from doing it.
/// </summary>
internal static partial class NodeFolders
{
    /// <summary>Where a container says why it ended, unless it wants another place.</summary>
    public const string TerminationLog = "/dev/termination-log";

    /// <summary>Where a container finds its service account's token.</summary>
    public const string Token = "/run/secrets/kubernetes.io/serviceaccount";

    private const nuint Bind = 4096;
    private const nuint Recursive = 16384;
    private const nuint NoSuid = 2;
    private const nuint NoExec = 8;
    private const int Detach = 2;

    /// <summary>Makes what is missing; throws <see cref="IOException"/> when the kernel refuses.</summary>
    /// <param name="scratch">A folder of the node's own, to build in.</param>
    public static void SetUp(string scratch)
    {
        if (!File.Exists(TerminationLog))
        {
            var layer = Begin(scratch, "dev");

            // Terminals find their other end in the folder where they were opened, so they must be of a file system of their own.
            Copy("/dev", layer, "pts", "ptmx");
            Directory.CreateDirectory(Path.Combine(layer, "pts"));
            Mount("devpts", Path.Combine(layer, "pts"), "devpts", NoSuid | NoExec, "newinstance,ptmxmode=0666,mode=620");
            File.CreateSymbolicLink(Path.Combine(layer, "ptmx"), "pts/ptmx");
            File.WriteAllBytes(Path.Combine(layer, Path.GetFileName(TerminationLog)), []);
            Move(layer, "/dev");
        }

        if (!Directory.Exists(Token))
        {
            var layer = Begin(scratch, "run");
            Copy("/run", layer, "secrets");
            Directory.CreateDirectory(Path.Combine(layer, "secrets"));
            if (Directory.Exists("/run/secrets"))
            {
                Copy("/run/secrets", Path.Combine(layer, "secrets"), "kubernetes.io");
            }

            Directory.CreateDirectory(Path.Combine(layer, Token["/run/".Length..]));
            Move(layer, "/run");
        }
    }

    private static void Move(string layer, string target)
    {
        Mount(layer, target, "", Bind | Recursive, "");
        _ = Unmount(layer, Detach);
    }

    private static string Begin(string scratch, string name)
    {
        var layer = Path.Combine(scratch, $".{name}");
        Directory.CreateDirectory(layer);
        Mount("tmpfs", layer, "tmpfs", NoSuid, "mode=755");
        return layer;
    }

    private static void Copy(string folder, string layer, params string[] without)
    {
        foreach (var entry in new DirectoryInfo(folder).GetFileSystemInfos())
        {
            var copy = Path.Combine(layer, entry.Name);
            if (without.Contains(entry.Name, StringComparer.Ordinal))
            {
                continue;
            }

            if (entry.LinkTarget is { } target)
            {
                File.CreateSymbolicLink(copy, target);
                continue;
            }

            if (entry is DirectoryInfo)
            {
                Directory.CreateDirectory(copy);
            }
            else
            {
                File.WriteAllBytes(copy, []);
            }

            Mount(entry.FullName, copy, "", Bind | Recursive, "");
        }
    }

    private static void Mount(string source, string target, string type, nuint flags, string options)
    {
        if (MountAt(source, target, type, flags, options) != 0)
        {
            throw new IOException($"'{source}' could not be mounted at '{target}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "umount2")]
    private static partial int Unmount([MarshalAs(UnmanagedType.LPUTF8Str)] string target, int flags);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountAt(string source, string target, string type, nuint flags, string options);
}
