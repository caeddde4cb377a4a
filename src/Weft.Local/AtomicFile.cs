// SPDX-License-Identifier: Apache-2.0

namespace Weft.Local;

/// <summary>Files that other processes read while they are written.</summary>
internal static class AtomicFile
{
    /// <summary>Writes beside the file and renames over it.</summary>
    public static void Write(string file, string text, bool secret = false)
    {
        var fresh = $"{file}.{Environment.ProcessId}.new";
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (!secret)
        {
            mode |= UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        }

        using (var stream = new FileStream(fresh, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = mode,
        }))
        using (var writer = new StreamWriter(stream))
        {
            writer.Write(text);
        }

        File.Move(fresh, file, overwrite: true);
    }
}
