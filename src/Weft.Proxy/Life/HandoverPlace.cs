// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Io;

namespace Weft.Proxy.Life;

/// <summary>
/// The socket by which a new proxy finds the running one: a file in the proxy's private folder (0700), so only its own user can take over.
/// The folder may have a path of any length.
/// </summary>
internal sealed unsafe class HandoverPlace : IDisposable
{
    private const string FileName = "restart.sock";
    private const int OpenPathOnly = 0x200000;
    private const int OpenDirectory = 0x10000;

    private readonly int _folder;

    private HandoverPlace(int folder) => _folder = folder;

    // A socket's address has room for 107 bytes only, which a pod's folder may exceed; through its descriptor it is always short.
    private UnixDomainSocketEndPoint Address => new($"/proc/self/fd/{_folder}/{FileName}");

    private string File => $"/proc/self/fd/{_folder}/{FileName}";

    /// <summary>Null where there is no folder: then every start is a fresh one.</summary>
    internal static HandoverPlace? Open(string folder)
    {
        if (folder.Length == 0)
        {
            return null;
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        fixed (byte* path = Encoding.UTF8.GetBytes(folder + "\0"))
        {
            var fd = Libc.Open(path, OpenPathOnly | OpenDirectory | Libc.SockCloseOnExec);
            return fd < 0 ? throw IoException.Last($"Opening '{folder}'") : new HandoverPlace(fd);
        }
    }

    /// <summary>The running proxy; null where none answers.</summary>
    internal Socket? TryConnect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        try
        {
            socket.Connect(Address);
            return socket;
        }
        catch (SocketException)
        {
            // None was there, or it died and left the file.
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Waits for successors from now on, in the place of whoever did before.</summary>
    internal Socket Listen()
    {
        System.IO.File.Delete(File);
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        socket.Bind(Address);
        socket.Listen(4);
        return socket;
    }

    public void Dispose() => Libc.Close(_folder);
}
