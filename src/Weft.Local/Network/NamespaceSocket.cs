// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Weft.Local.Network;

/// <summary>Opens sockets that belong to another network namespace; they keep it for their life.</summary>
internal static partial class NamespaceSocket
{
    private const int NetworkNamespace = 0x40000000;
    private const int Internet = 2;
    private const int StreamCloseOnExec = 0x80001;
    private const int OpenCloseOnExec = 0x80000;
    private const int StackBytes = 256 * 1024;

    /// <summary>Connects to a port on the namespace's own loopback address.</summary>
    public static async Task<Socket> ConnectAsync(string namespaceFile, int port, CancellationToken ct)
    {
        var socket = Open(namespaceFile);
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket Open(string namespaceFile)
    {
        var (descriptor, error) = (-1, 0);

        // A thread of its own that ends: nothing else can ever run in the namespace by mistake.
        var thread = new Thread(
            () =>
            {
                var target = OpenFile(namespaceFile, OpenCloseOnExec);
                if (target < 0 || Enter(target, NetworkNamespace) != 0 || (descriptor = OpenSocket(Internet, StreamCloseOnExec, 0)) < 0)
                {
                    error = Marshal.GetLastPInvokeError();
                }

                if (target >= 0)
                {
                    _ = CloseFile(target);
                }
            },
            StackBytes)
        { Name = "namespace socket" };
        thread.Start();
        thread.Join();
        return descriptor >= 0
            ? new Socket(new SafeSocketHandle(descriptor, ownsHandle: true))
            : throw new IOException($"The pod's network could not be entered: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int descriptor);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int Enter(int descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);
}
