// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Weft.Local.Serving;

/// <summary>A pseudo-terminal: this side reads and writes it, a command has it as its terminal.</summary>
internal sealed partial class Terminal : IDisposable
{
    private const int ReadWrite = 2;
    private const int NotControlling = 0x100;
    private const int CloseOnExec = 0x80000;
    private const nuint SetWindowSize = 0x5414;

    private readonly int _descriptor;

    private Terminal(int descriptor, string path)
    {
        _descriptor = descriptor;
        Path = path;
        Stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.ReadWrite, bufferSize: 0);
    }

    /// <summary>The command's end, e.g. <c>/dev/pts/3</c>.</summary>
    public string Path { get; }

    public FileStream Stream { get; }

    public static unsafe Terminal Open()
    {
        var descriptor = OpenMaster(ReadWrite | NotControlling | CloseOnExec);
        var name = stackalloc byte[128];
        if (descriptor < 0 || Grant(descriptor) != 0 || Unlock(descriptor) != 0 || NameOf(descriptor, name, 128) != 0)
        {
            throw new InvalidOperationException("No terminal could be opened: is /dev/pts mounted?");
        }

        var length = new ReadOnlySpan<byte>(name, 128).IndexOf((byte)0);
        return new Terminal(descriptor, Encoding.ASCII.GetString(name, length));
    }

    public unsafe void Resize(int columns, int rows)
    {
        var size = stackalloc ushort[4];
        size[0] = (ushort)rows;
        size[1] = (ushort)columns;
        size[2] = size[3] = 0;
        _ = Control(_descriptor, SetWindowSize, size);
    }

    public void Dispose() => Stream.Dispose();

    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    private static partial int OpenMaster(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt")]
    private static partial int Grant(int descriptor);

    [LibraryImport("libc", EntryPoint = "unlockpt")]
    private static partial int Unlock(int descriptor);

    [LibraryImport("libc", EntryPoint = "ptsname_r")]
    private static unsafe partial int NameOf(int descriptor, byte* name, nuint length);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static unsafe partial int Control(int descriptor, nuint request, void* argument);
}
