// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>
/// A folder whose files change all at once: they are in a folder of their own, <c>..data</c> is a link to it that is replaced in one step,
/// and each name that a container sees is a link through that.
/// </summary>
internal static partial class VolumeFolder
{
    private const string Current = "..data";

    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Puts the files in the place of those that were there.</summary>
    /// <param name="stamp">Names this version; must differ from the last.</param>
    /// <param name="group">Who owns them; null for the node's own user.</param>
    public static async Task WriteAsync(string folder, VolumeFiles files, string stamp, long? group, CancellationToken ct)
    {
        Directory.CreateDirectory(folder, Everybody);
        var before = new FileInfo(Path.Combine(folder, Current)).LinkTarget;
        var fresh = Path.Combine(folder, $"..{stamp}");
        Directory.CreateDirectory(fresh, Everybody);
        foreach (var (path, (content, mode)) in files.Files)
        {
            var file = Path.Combine(fresh, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!, Everybody);
            await File.WriteAllBytesAsync(file, content, ct);
            File.SetUnixFileMode(file, (UnixFileMode)(group is null ? mode & 0x1ff : (mode & 0x1ff) | 0b100_000));
        }

        if (group is { } owner)
        {
            await RunOnce.RunAsync("chgrp", ["-R", owner.ToString(CultureInfo.InvariantCulture), fresh], "", ct);
        }

        var link = Path.Combine(folder, $"{Current}_tmp");
        File.Delete(link);
        File.CreateSymbolicLink(link, Path.GetFileName(fresh));

        // .NET moves files and folders, but no links to folders.
        if (Rename(link, Path.Combine(folder, Current)) != 0)
        {
            throw new IOException($"'{link}' could not be moved: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }

        Link(folder, files);
        if (before is not null && before != Path.GetFileName(fresh))
        {
            Directory.Delete(Path.Combine(folder, before), recursive: true);
        }
    }

    private static void Link(string folder, VolumeFiles files)
    {
        var wanted = files.Files.Keys.Select(path => path.Split('/')[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var name in wanted.Where(name => new FileInfo(Path.Combine(folder, name)).LinkTarget is null))
        {
            File.CreateSymbolicLink(Path.Combine(folder, name), $"{Current}/{name}");
        }

        foreach (var entry in new DirectoryInfo(folder).GetFileSystemInfos())
        {
            if (!entry.Name.StartsWith("..", StringComparison.Ordinal) && !wanted.Contains(entry.Name))
            {
                entry.Delete();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);
}
