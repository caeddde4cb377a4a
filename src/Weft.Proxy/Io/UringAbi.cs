// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>Numbers of the kernel's io_uring interface.</summary>
internal static class UringAbi
{
    internal const int SysSetup = 425;
    internal const int SysEnter = 426;
    internal const int SysRegister = 427;

    internal const uint SetupCqSize = 1 << 3;
    internal const uint SetupDisabled = 1 << 6;
    internal const uint SetupSubmitAll = 1 << 7;
    internal const uint SetupSingleIssuer = 1 << 12;
    internal const uint SetupDeferTaskRun = 1 << 13;
    internal const uint FeatureSingleMap = 1 << 0;
    internal const uint FeatureNoDrop = 1 << 1;
    internal const uint FeatureExtraArgument = 1 << 8;

    internal const uint EnterGetEvents = 1 << 0;
    internal const uint EnterExtraArgument = 1 << 3;

    internal const int RegisterEnableRings = 12;
    internal const int RegisterBufferRing = 22;

    internal const long OffsetRings = 0;
    internal const long OffsetEntries = 0x10000000;

    internal const byte OpPollAdd = 6;
    internal const byte OpAccept = 13;
    internal const byte OpAsyncCancel = 14;
    internal const byte OpConnect = 16;
    internal const byte OpClose = 19;
    internal const byte OpSend = 26;
    internal const byte OpReceive = 27;

    internal const byte EntryBufferSelect = 1 << 5;
    internal const ushort AcceptMultishot = 1;
    internal const ushort ReceiveMultishot = 2;
    internal const uint CancelAll = 1;
    internal const uint CancelByFd = 2;
    internal const uint CompletionHasBuffer = 1;
    internal const uint CompletionMore = 2;
    internal const int CompletionBufferShift = 16;
    internal const int MsgDontWait = 0x40;
    internal const int MsgWaitAll = 0x100;
    internal const uint PollIn = 1;
    internal const uint PollReadHup = 0x2000;

    internal const int ENoBufs = 105;
    internal const int ECanceled = 125;
    internal const int ETime = 62;
}

/// <summary>struct io_uring_params.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct UringParams
{
    [FieldOffset(0)]
    internal uint SubmissionEntries;
    [FieldOffset(4)]
    internal uint CompletionEntries;
    [FieldOffset(8)]
    internal uint Flags;
    [FieldOffset(20)]
    internal uint Features;
    [FieldOffset(40)]
    internal uint SubmissionHead;
    [FieldOffset(44)]
    internal uint SubmissionTail;
    [FieldOffset(48)]
    internal uint SubmissionMask;
    [FieldOffset(64)]
    internal uint SubmissionArray;
    [FieldOffset(80)]
    internal uint CompletionHead;
    [FieldOffset(84)]
    internal uint CompletionTail;
    [FieldOffset(88)]
    internal uint CompletionMask;
    [FieldOffset(100)]
    internal uint Completions;
}

/// <summary>struct io_uring_sqe, as far as it is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct UringEntry
{
    [FieldOffset(0)]
    internal byte Operation;
    [FieldOffset(1)]
    internal byte Flags;
    [FieldOffset(2)]
    internal ushort IoPriority;
    [FieldOffset(4)]
    internal int Fd;
    [FieldOffset(8)]
    internal ulong Offset;
    [FieldOffset(16)]
    internal ulong Address;
    [FieldOffset(24)]
    internal uint Length;
    [FieldOffset(28)]
    internal uint OperationFlags;
    [FieldOffset(32)]
    internal ulong UserData;
    [FieldOffset(40)]
    internal ushort BufferGroup;
}

/// <summary>struct io_uring_cqe.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UringCompletion
{
    internal ulong UserData;
    internal int Result;
    internal uint Flags;
}

/// <summary>struct io_uring_buf; the first one's last field is the ring's tail.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct UringBuffer
{
    internal ulong Address;
    internal uint Length;
    internal ushort Id;
    internal ushort Tail;
}

/// <summary>struct io_uring_buf_reg.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct UringBufferRegistration
{
    [FieldOffset(0)]
    internal ulong Address;
    [FieldOffset(8)]
    internal uint Entries;
    [FieldOffset(12)]
    internal ushort Group;
}

/// <summary>struct io_uring_getevents_arg.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct UringWait
{
    [FieldOffset(0)]
    internal ulong SignalMask;
    [FieldOffset(8)]
    internal uint SignalMaskSize;
    [FieldOffset(16)]
    internal ulong Timeout;
}

/// <summary>struct __kernel_timespec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KernelTime
{
    internal long Seconds;
    internal long Nanoseconds;
}
