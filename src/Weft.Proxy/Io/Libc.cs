// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>The system calls that the loops use; blittable, so that they cost a plain call.</summary>
internal static unsafe partial class Libc
{
    internal const int AfInet = 2;
    internal const int AfInet6 = 10;
    internal const int SockStream = 1;
    internal const int SockNonBlock = 0x800;
    internal const int SockCloseOnExec = 0x80000;
    internal const int SolSocket = 1;
    internal const int SolIp = 0;
    internal const int SolTcp = 6;
    internal const int SolIpv6 = 41;
    internal const int SoReuseAddress = 2;
    internal const int SoError = 4;
    internal const int SoKeepAlive = 9;
    internal const int SoReusePort = 15;
    internal const int SoLinger = 13;
    internal const int SoMark = 36;
    internal const int SoOriginalDestination = 80;
    internal const int IpBindAddressNoPort = 24;
    internal const int Ipv6Only = 26;
    internal const int TcpNoDelay = 1;
    internal const int TcpKeepIdle = 4;
    internal const int TcpKeepInterval = 5;
    internal const int TcpKeepCount = 6;
    internal const int ShutWrite = 1;
    internal const int LimitOfDescriptors = 7;
    internal const int MsgNoSignal = 0x4000;
    internal const int MsgMore = 0x8000;

    internal const int EIntr = 4;
    internal const int EAgain = 11;
    internal const int ENoMemory = 12;
    internal const int ETableFull = 23;
    internal const int ETooManyFiles = 24;
    internal const int ENoBuffers = 105;
    internal const int EPermission = 1;
    internal const int EPipe = 32;
    internal const int ENoAddress = 99;
    internal const int EConnReset = 104;
    internal const int ETimedOut = 110;
    internal const int EConnRefused = 111;
    internal const int EInProgress = 115;

    internal const int EpollCtlAdd = 1;
    internal const int EpollCtlDelete = 2;
    internal const int EpollCtlModify = 3;
    internal const uint EpollIn = 0x1;
    internal const uint EpollOut = 0x4;
    internal const uint EpollErr = 0x8;
    internal const uint EpollHup = 0x10;
    internal const uint EpollRdHup = 0x2000;
    internal const uint EpollEdge = 0x80000000;

    private const string Library = "libc.so.6";

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int fd, SockAddr* address, uint length);

    [LibraryImport(Library, EntryPoint = "listen", SetLastError = true)]
    internal static partial int Listen(int fd, int backlog);

    [LibraryImport(Library, EntryPoint = "accept4", SetLastError = true)]
    internal static partial int Accept4(int fd, SockAddr* address, uint* length, int flags);

    [LibraryImport(Library, EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(int fd, SockAddr* address, uint length);

    [LibraryImport(Library, EntryPoint = "getsockname", SetLastError = true)]
    internal static partial int GetSockName(int fd, SockAddr* address, uint* length);

    [LibraryImport(Library, EntryPoint = "getpeername", SetLastError = true)]
    internal static partial int GetPeerName(int fd, SockAddr* address, uint* length);

    [LibraryImport(Library, EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetSockOpt(int fd, int level, int name, void* value, uint length);

    [LibraryImport(Library, EntryPoint = "getsockopt", SetLastError = true)]
    internal static partial int GetSockOpt(int fd, int level, int name, void* value, uint* length);

    [LibraryImport(Library, EntryPoint = "getrlimit", SetLastError = true)]
    internal static partial int GetLimit(int resource, ResourceLimit* limit);

    [LibraryImport(Library, EntryPoint = "setrlimit", SetLastError = true)]
    internal static partial int SetLimit(int resource, ResourceLimit* limit);

    [LibraryImport(Library, EntryPoint = "shutdown", SetLastError = true)]
    internal static partial int Shutdown(int fd, int how);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    /// <summary>A second descriptor of the same socket or file, closed at exec.</summary>
    internal static int Duplicate(int fd) => FileControl(fd, 1030, 0);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(int fd, int command, int argument);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true)]
    internal static partial int Open(byte* path, int flags);

    [LibraryImport(Library, EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Recv(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport(Library, EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport(Library, EntryPoint = "sendmsg", SetLastError = true)]
    internal static partial nint SendMessage(int fd, MessageHead* message, int flags);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int fd, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int fd, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    internal static partial int EventFd(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int fd, EpollEvent* entry);

    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, EpollEvent* events, int capacity, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport(Library, EntryPoint = "munmap", SetLastError = true)]
    internal static partial int MemoryUnmap(nint address, nuint length);

    [LibraryImport(Library, EntryPoint = "malloc_trim")]
    internal static partial int MallocTrim(nuint keep);

    [LibraryImport(Library, EntryPoint = "madvise", SetLastError = true)]
    internal static partial int MemoryAdvise(nint address, nuint length, int advice);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);

    internal static int LastError => Marshal.GetLastPInvokeError();

    internal static bool TrySetOption(int fd, int level, int name, int value) =>
        SetSockOpt(fd, level, name, &value, sizeof(int)) == 0;
}

/// <summary>struct epoll_event of x86-64, which is packed.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct EpollEvent
{
    internal uint Events;
    internal ulong Tag;
}

/// <summary>struct sockaddr_in and sockaddr_in6 in one.</summary>
[StructLayout(LayoutKind.Explicit, Size = 28)]
internal unsafe struct SockAddr
{
    [FieldOffset(0)]
    internal ushort Family;
    [FieldOffset(2)]
    internal ushort PortBigEndian;
    [FieldOffset(4)]
    internal uint V4;
    [FieldOffset(8)]
    internal fixed byte V6[16];
}

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessagePart
{
    internal byte* Start;
    internal nuint Length;
}

/// <summary>struct msghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHead
{
    internal void* Address;
    internal uint AddressLength;
    internal MessagePart* Parts;
    internal nuint PartCount;
    internal void* Control;
    internal nuint ControlLength;
    internal int Flags;
}

/// <summary>A limit of the process; the soft one is in force, and may be raised up to the hard one.</summary>
internal struct ResourceLimit
{
    internal ulong Soft;
    internal ulong Hard;
}
