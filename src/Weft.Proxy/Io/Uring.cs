// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>One io_uring with a ring of provided buffers: queues, waits, and nothing of sockets.</summary>
internal sealed unsafe class Uring : IDisposable
{
    internal const int BufferSize = 16 * 1024;

    private const uint SubmissionCapacity = 1024;
    private const uint CompletionCapacity = 4096;

    /// <summary>Receive buffers at first, and how many more there are when they were too few; at most <see cref="BufferLimit"/>.</summary>
    private const ushort BufferStep = 64;
    private const ushort BufferLimit = 256;
    private const int ProtectReadWrite = 3;
    private const int MapShared = 1;
    private const int MapPopulate = 0x8000;
    private const int MapPrivateAnonymous = 0x22;

    private readonly int _fd;
    private readonly byte* _rings;
    private readonly nuint _ringsSize;
    private readonly UringEntry* _entries;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint _submissionMask;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly UringCompletion* _completions;
    private readonly UringBuffer* _bufferRing;
    private readonly byte* _buffers;
    private readonly KernelTime* _timeout;
    private uint _queued;
    private ushort _bufferTail;
    private ushort _bufferCount;
    private bool _enabled;

    /// <summary>Throws <see cref="IoException"/> where the kernel, or what confines the process, does not let us.</summary>
    internal Uring()
    {
        var parameters = new UringParams
        {
            CompletionEntries = CompletionCapacity,
            Flags = UringAbi.SetupCqSize | UringAbi.SetupDisabled | UringAbi.SetupSubmitAll | UringAbi.SetupSingleIssuer |
                UringAbi.SetupDeferTaskRun,
        };
        _fd = (int)Libc.Syscall(UringAbi.SysSetup, (nint)SubmissionCapacity, (nint)(&parameters), 0, 0, 0, 0);
        if (_fd < 0)
        {
            throw IoException.Last("io_uring_setup");
        }

        const uint Needed = UringAbi.FeatureSingleMap | UringAbi.FeatureNoDrop | UringAbi.FeatureExtraArgument;
        if ((parameters.Features & Needed) != Needed)
        {
            Libc.Close(_fd);
            throw new IoException("This kernel's io_uring is too old");
        }

        _ringsSize = Math.Max(
            parameters.SubmissionArray + (parameters.SubmissionEntries * sizeof(uint)),
            parameters.Completions + (parameters.CompletionEntries * (uint)sizeof(UringCompletion)));
        _rings = Map(_ringsSize, UringAbi.OffsetRings);
        _entries = (UringEntry*)Map(parameters.SubmissionEntries * (nuint)sizeof(UringEntry), UringAbi.OffsetEntries);
        _submissionHead = (uint*)(_rings + parameters.SubmissionHead);
        _submissionTail = (uint*)(_rings + parameters.SubmissionTail);
        _submissionMask = *(uint*)(_rings + parameters.SubmissionMask);
        _completionHead = (uint*)(_rings + parameters.CompletionHead);
        _completionTail = (uint*)(_rings + parameters.CompletionTail);
        _completionMask = *(uint*)(_rings + parameters.CompletionMask);
        _completions = (UringCompletion*)(_rings + parameters.Completions);
        var array = (uint*)(_rings + parameters.SubmissionArray);
        for (uint i = 0; i < parameters.SubmissionEntries; i++)
        {
            array[i] = i;
        }

        _timeout = (KernelTime*)NativeMemory.AllocZeroed((nuint)sizeof(KernelTime));

        // Address space for all of them; memory only for those that are used.
        _bufferRing = (UringBuffer*)MapMemory(BufferLimit * (nuint)sizeof(UringBuffer));
        _buffers = MapMemory(BufferLimit * (nuint)BufferSize);
        RegisterBuffers();
    }

    /// <summary>The next free entry, zeroed; submits what is queued if there is none.</summary>
    internal UringEntry* Next()
    {
        if (*_submissionTail - Volatile.Read(ref *_submissionHead) > _submissionMask)
        {
            Enter(waitMs: 0, wait: false);
        }

        var entry = &_entries[*_submissionTail & _submissionMask];
        *entry = default;
        Volatile.Write(ref *_submissionTail, *_submissionTail + 1);
        _queued++;
        return entry;
    }

    /// <summary>Submits what is queued and waits for at least one completion; -1 waits for ever, 0 not at all.</summary>
    internal void SubmitAndWait(int waitMs)
    {
        if (!_enabled)
        {
            // Only from here on is this thread the ring's one issuer: it was set up on another.
            _enabled = true;
            if (Libc.Syscall(UringAbi.SysRegister, _fd, UringAbi.RegisterEnableRings, 0, 0, 0, 0) < 0)
            {
                throw IoException.Last("io_uring_register");
            }
        }

        Enter(waitMs, wait: waitMs != 0 && *_completionHead == Volatile.Read(ref *_completionTail));
    }

    /// <summary>Submits what is queued, and nothing else.</summary>
    internal void Submit()
    {
        if (_queued > 0)
        {
            Enter(waitMs: 0, wait: false, events: false);
        }
    }

    internal bool TryTake(out UringCompletion completion)
    {
        var head = *_completionHead;
        if (head == Volatile.Read(ref *_completionTail))
        {
            completion = default;
            return false;
        }

        completion = _completions[head & _completionMask];
        Volatile.Write(ref *_completionHead, head + 1);
        return true;
    }

    internal Span<byte> Buffer(uint flags, int length) =>
        new(_buffers + ((flags >> UringAbi.CompletionBufferShift) * BufferSize), length);

    /// <summary>
    /// More receive buffers, up to the limit: the kernel had none left, which ends a socket's receive and makes its peer wait for another turn.
    /// </summary>
    internal void AddBuffers()
    {
        for (var i = 0; i < BufferStep && _bufferCount < BufferLimit; i++)
        {
            AddBuffer(_bufferCount++);
        }
    }

    /// <summary>Gives a buffer back to the kernel.</summary>
    internal void ReturnBuffer(uint flags) => AddBuffer((ushort)(flags >> UringAbi.CompletionBufferShift));

    public void Dispose()
    {
        Libc.Close(_fd);
        _ = Libc.MemoryUnmap((nint)_rings, _ringsSize);
        _ = Libc.MemoryUnmap((nint)_entries, SubmissionCapacity * (nuint)sizeof(UringEntry));
        _ = Libc.MemoryUnmap((nint)_bufferRing, BufferLimit * (nuint)sizeof(UringBuffer));
        _ = Libc.MemoryUnmap((nint)_buffers, BufferLimit * (nuint)BufferSize);
        NativeMemory.Free(_timeout);
    }

    private void Enter(int waitMs, bool wait, bool events = true)
    {
        var argument = default(UringWait);
        if (wait && waitMs > 0)
        {
            _timeout->Seconds = waitMs / 1000;
            _timeout->Nanoseconds = waitMs % 1000 * 1_000_000L;
            argument.Timeout = (ulong)_timeout;
        }

        var taken = (int)Libc.Syscall(
            UringAbi.SysEnter,
            _fd,
            (nint)_queued,
            wait ? 1 : 0,
            (nint)(events ? UringAbi.EnterGetEvents | UringAbi.EnterExtraArgument : UringAbi.EnterExtraArgument),
            (nint)(&argument),
            sizeof(UringWait));
        if (taken >= 0)
        {
            _queued -= (uint)taken;
            return;
        }

        var error = Libc.LastError;
        if (error is UringAbi.ETime or Libc.EIntr or Libc.EAgain or 16)
        {
            // Nothing came in time, or the completion queue must be emptied first: what the kernel has taken is on the ring.
            _queued = *_submissionTail - Volatile.Read(ref *_submissionHead);
            return;
        }

        throw IoException.Of("io_uring_enter", error);
    }

    private void RegisterBuffers()
    {
        var registration = new UringBufferRegistration { Address = (ulong)_bufferRing, Entries = BufferLimit };
        if (Libc.Syscall(UringAbi.SysRegister, _fd, UringAbi.RegisterBufferRing, (nint)(&registration), 1, 0, 0) < 0)
        {
            var failure = IoException.Last("io_uring_register of a buffer ring");
            Dispose();
            throw failure;
        }

        AddBuffers();
    }

    private void AddBuffer(ushort id)
    {
        var slot = &_bufferRing[_bufferTail & (BufferLimit - 1)];
        slot->Address = (ulong)(_buffers + (id * BufferSize));
        slot->Length = BufferSize;
        slot->Id = id;
        _bufferTail++;
        Volatile.Write(ref _bufferRing->Tail, _bufferTail);
    }

    private byte* Map(nuint size, long offset)
    {
        var memory = Libc.MemoryMap(0, size, ProtectReadWrite, MapShared | MapPopulate, _fd, offset);
        return memory == -1 ? throw IoException.Last("mmap of an io_uring") : (byte*)memory;
    }

    private static byte* MapMemory(nuint size)
    {
        var memory = Libc.MemoryMap(0, size, ProtectReadWrite, MapPrivateAnonymous, -1, 0);
        return memory == -1 ? throw IoException.Last("mmap") : (byte*)memory;
    }
}
