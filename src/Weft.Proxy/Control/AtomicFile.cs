// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Control;

/// <summary>Replaces a file as a whole: readers and crashes see the old content or the new, never a part.</summary>
internal static class AtomicFile
{
    public static void Write(string file, ReadOnlySpan<byte> content)
    {
        var beside = file + ".new";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var stream = new FileStream(beside, options))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(beside, file, overwrite: true);
    }
}
