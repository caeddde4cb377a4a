// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Weft.Proxy.Io;

namespace Weft.Proxy.Life;

/// <summary>
/// What two proxies say to each other when one takes over from the other: short texts over a sequenced-packet Unix socket, a listening socket
/// (SCM_RIGHTS) beside some of them. The new one says <see cref="Hello"/>; the old one answers with one <see cref="Listener"/> a socket and
/// <see cref="End"/>, or with <see cref="Refused"/>; the new one says <see cref="Serving"/> when it serves; the old one stops taking
/// connections and says <see cref="Released"/>. Whoever hangs up earlier changes nothing.
/// </summary>
internal static unsafe partial class HandoverWire
{
    /// <summary>Grows when the texts change their meaning; another version is refused with both numbers.</summary>
    internal const int Version = 1;

    internal const string Hello = "weft-handover";
    internal const string Listener = "listener";
    internal const string End = "end";
    internal const string Serving = "serving";
    internal const string Released = "released";
    internal const string Refused = "refused";

    private const int MaxText = 512;
    private const int RightsType = 1;
    private const int CloseOnExec = 0x40000000;

    /// <summary>Sends one text and, if it is not negative, a descriptor, which stays the caller's.</summary>
    /// <exception cref="IoException">The other side is gone.</exception>
    internal static void Send(Socket socket, string text, int fd = -1)
    {
        var bytes = Encoding.UTF8.GetBytes(text.Length > MaxText ? text[..MaxText] : text);
        var rights = new Rights { Length = (nuint)sizeof(Rights) - sizeof(int), Level = Libc.SolSocket, Type = RightsType, Fd = fd };
        fixed (byte* start = bytes)
        {
            var part = new Part { Start = start, Length = (nuint)bytes.Length };
            var message = new Message { Parts = &part, PartCount = 1 };
            if (fd >= 0)
            {
                message.Control = &rights;
                message.ControlLength = (nuint)sizeof(Rights);
            }

            if (SendMessage((int)socket.Handle, &message, Libc.MsgNoSignal) < 0)
            {
                throw IoException.Last("Handing over listening sockets");
            }
        }
    }

    /// <summary>The next text's words, and the descriptor beside it, which is the caller's from then on; -1 without one.</summary>
    /// <exception cref="IoException">The other side hung up or was silent for too long.</exception>
    internal static string[] Receive(Socket socket, TimeSpan patience, out int fd)
    {
        fd = -1;
        if (!socket.Poll(patience, SelectMode.SelectRead))
        {
            throw new IoException($"Handing over listening sockets: the other proxy said nothing for {patience.TotalSeconds:0} s");
        }

        var bytes = stackalloc byte[MaxText * 3];
        Rights rights = default;
        var part = new Part { Start = bytes, Length = MaxText * 3 };
        var message = new Message { Parts = &part, PartCount = 1, Control = &rights, ControlLength = (nuint)sizeof(Rights) };
        var length = ReceiveMessage((int)socket.Handle, &message, CloseOnExec);
        if (length <= 0)
        {
            throw length < 0 ? IoException.Last("Handing over listening sockets") : new IoException("Handing over listening sockets: the other proxy hung up");
        }

        if (message.ControlLength >= (nuint)sizeof(Rights) - sizeof(int) && rights.Level == Libc.SolSocket && rights.Type == RightsType)
        {
            fd = rights.Fd;
        }

        return Encoding.UTF8.GetString(bytes, (int)length).Split(' ');
    }

    [LibraryImport("libc.so.6", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int fd, Message* message, int flags);

    [LibraryImport("libc.so.6", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int fd, Message* message, int flags);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        internal byte* Start;
        internal nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        internal void* Name;
        internal uint NameLength;
        internal Part* Parts;
        internal nuint PartCount;
        internal void* Control;
        internal nuint ControlLength;
        internal int Flags;
    }

    /// <summary>struct cmsghdr with one descriptor, and the padding that CMSG_SPACE counts.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Rights
    {
        internal nuint Length;
        internal int Level;
        internal int Type;
        internal int Fd;
        internal int Padding;
    }
}
