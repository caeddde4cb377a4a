// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Hpack;

namespace Weft.Protocols.Http2;

/// <content>Header sections that come: HEADERS and CONTINUATION (RFC 9113 sections 6.2, 6.10), and what the section means to its stream.</content>
public sealed partial class Http2Connection
{
    private const int PriorityBytes = 5;

    private OutputBuffer? _block;
    private int _blockStream;
    private int _continuations;
    private bool _blockEndsStream;
    private bool _blockDependsOnItself;

    private void BeginHeaderBlock()
    {
        var id = _frame.StreamId;
        if (id == 0 || (id & 1) == 0 || (Role == Http2Role.Client && IsIdle(id)))
        {
            FailByPeer(Http2ErrorCode.ProtocolError, $"A HEADERS frame is on stream {id}, which the peer cannot open (RFC 9113 section 5.1.1).");
            return;
        }

        _blockStream = id;
        _blockEndsStream = (_frame.Flags & FrameFlag.EndStream) != 0;
        _blockDependsOnItself = false;
        _continuations = 0;
        BeginFragment(before: 0);
    }

    private void BeginContinuation()
    {
        if (_blockStream == 0)
        {
            FailByPeer(Http2ErrorCode.ProtocolError, "A CONTINUATION frame continues nothing (RFC 9113 section 6.10).");
            return;
        }

        Pool.Count.ContinuationFrames++;
        if (++_continuations > Limits.MaxContinuationFrames)
        {
            FailByFlood(nameof(Limits.MaxContinuationFrames), Limits.MaxContinuationFrames);
            return;
        }

        BeginFragment(_block?.Length ?? 0);
    }

    private void BeginFragment(int before)
    {
        if (before + _left > Limits.MaxHeaderBlockBytes)
        {
            FailByFlood(nameof(Limits.MaxHeaderBlockBytes), Limits.MaxHeaderBlockBytes);
            return;
        }

        if (_left == 0 && (_frame.Flags & FrameFlag.EndHeaders) == 0 && !CountEmptyFrame())
        {
            return;
        }

        _part = Part.Block;
        if (_left == 0)
        {
            var nothing = ReadOnlySpan<byte>.Empty;
            ReceiveBlock(ref nothing);
        }
    }

    private void ReceiveBlock(ref ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(_left, bytes.Length);
        var fragment = bytes[..count];
        bytes = bytes[count..];
        var isWhole = count == _frame.PayloadLength;
        _left -= count;
        if (isWhole && _frame.Type == FrameType.Headers)
        {
            EndFrame();
            if (TryStripHeaders(ref fragment) && (_frame.Flags & FrameFlag.EndHeaders) != 0)
            {
                // The commonest case by far: nothing is copied.
                FinishBlock(fragment);
                return;
            }
        }

        if (Failure is not null)
        {
            return;
        }

        _block ??= new OutputBuffer(Pool.Buffers);
        _block.Append(fragment);
        if (_left == 0)
        {
            EndFrame();
            FinishFragment(isWhole);
        }
    }

    private void FinishFragment(bool isStripped)
    {
        var block = _block!;
        if (_frame.Type == FrameType.Headers && !isStripped)
        {
            ReadOnlySpan<byte> whole = block.Written;
            var all = whole.Length;
            if (!TryStripHeaders(ref whole))
            {
                return;
            }

            // Padding stands behind, its length and the priority before the fragment.
            var before = ((_frame.Flags & FrameFlag.Padded) != 0 ? 1 : 0) + ((_frame.Flags & FrameFlag.Priority) != 0 ? PriorityBytes : 0);
            block.Advance(-(all - before - whole.Length));
            block.TakeOff(before);
        }

        if ((_frame.Flags & FrameFlag.EndHeaders) != 0)
        {
            FinishBlock(block.Written);
            block.Clear();
        }
    }

    private bool TryStripHeaders(ref ReadOnlySpan<byte> payload)
    {
        var padding = 0;
        var before = 0;
        if ((_frame.Flags & FrameFlag.Padded) != 0)
        {
            before = 1;
            padding = payload.IsEmpty ? 0 : payload[0];
        }

        var hasPriority = (_frame.Flags & FrameFlag.Priority) != 0;
        var fixedBytes = before + (hasPriority ? PriorityBytes : 0);
        if (payload.Length < fixedBytes)
        {
            FailByPeer(Http2ErrorCode.FrameSizeError, $"The HEADERS frame of stream {_blockStream} is too short for its flags (RFC 9113 section 6.2).");
            return false;
        }

        if (payload.Length < fixedBytes + padding)
        {
            FailByPeer(Http2ErrorCode.ProtocolError, $"The HEADERS frame of stream {_blockStream} is shorter than its padding (RFC 9113 section 6.2).");
            return false;
        }

        if (hasPriority)
        {
            _blockDependsOnItself = DependsOnItself(payload[before..], _blockStream);
        }

        payload = payload[fixedBytes..^padding];
        return true;
    }

    private void FinishBlock(ReadOnlySpan<byte> block)
    {
        var id = _blockStream;
        _blockStream = 0;
        var section = Pool.Section;
        section.Reset(Limits.MaxHeaderListBytes, Limits.MaxHeaderFields, Limits.HeaderBombFactor);
        var error = _decoder.Decode(block, section);
        if (error == HpackError.ListBomb)
        {
            FailByFlood($"{nameof(Limits.HeaderBombFactor)} times {nameof(Limits.MaxHeaderListBytes)} or {nameof(Limits.MaxHeaderFields)}", Limits.HeaderBombFactor);
            return;
        }

        if (error is not (HpackError.None or HpackError.ListTooLarge))
        {
            FailByPeer(Http2ErrorCode.CompressionError, $"The header block of stream {id} cannot be decoded: {error} (RFC 7541).");
            return;
        }

        _window.CountUseful();
        Pool.Count.OversizedHeaderLists += section.IsTooLarge ? 1 : 0;
        if (_streams.Find(id) is { } stream)
        {
            ContinueStream(stream, section);
        }
        else if (Role == Http2Role.Server && id > _lastPeerStream)
        {
            BeginRequest(id, section);
        }
        else if (!IsForgiven(id))
        {
            FailByPeer(Http2ErrorCode.StreamClosed, $"A HEADERS frame came on stream {id}, which is closed (RFC 9113 section 5.1).");
        }
    }

    private void BeginRequest(int id, HeaderSection section)
    {
        _lastPeerStream = id;
        if (_drain == Drain.Final)
        {
            // It was on its way when the last GOAWAY left: the client tries it elsewhere (RFC 9113 section 6.8).
            return;
        }

        if (_openStreams >= Limits.MaxConcurrentStreams)
        {
            Pool.Count.RefusedStreams++;
            RefuseStream(id, Http2ErrorCode.RefusedStream);
            return;
        }

        if (section.IsTooLarge || _blockDependsOnItself)
        {
            RefuseStream(id, section.IsTooLarge ? Http2ErrorCode.EnhanceYourCalm : Http2ErrorCode.ProtocolError);
            return;
        }

        var fault = MessageRules.Request(section, Limits.AllowExtendedConnect, Pool.Rewriter, out var fields);
        if (fault == MessageFault.None && _blockEndsStream && fields.ContentLength > 0)
        {
            fault = MessageFault.LengthDiffers;
        }

        if (fault != MessageFault.None)
        {
            CountMalformed(fault);
            RefuseStream(id, Http2ErrorCode.ProtocolError);
            return;
        }

        var stream = AddStream(id);
        stream.State |= StreamState.ReceivedHead | (_blockEndsStream ? StreamState.ReceivedEnd : StreamState.None);
        stream.Expected = fields.ContentLength;
        stream.Events++;
        Events.OnRequest(stream, fields, _blockEndsStream);
        EndEvent(stream);
        if (id / 2 >= Limits.MaxStreams - 1)
        {
            BeginDrain();
        }
    }

    private void ContinueStream(Http2Stream stream, HeaderSection section)
    {
        if (stream.HasReceivedEnd)
        {
            ResetByRule(stream, Http2ErrorCode.StreamClosed);
        }
        else if (section.IsTooLarge || _blockDependsOnItself)
        {
            ResetByRule(stream, section.IsTooLarge ? Http2ErrorCode.EnhanceYourCalm : Http2ErrorCode.ProtocolError);
        }
        else if (stream.Is(StreamState.ReceivedHead))
        {
            TakeTrailers(stream, section);
        }
        else
        {
            TakeResponse(stream, section);
        }
    }

    private void TakeTrailers(Http2Stream stream, HeaderSection section)
    {
        var fault = MessageRules.Trailers(section, out var fields);
        if (fault == MessageFault.None)
        {
            fault = !_blockEndsStream ? MessageFault.TrailersWithoutEnd : stream.Expected > 0 ? MessageFault.LengthDiffers : MessageFault.None;
        }

        if (fault != MessageFault.None)
        {
            ResetMalformed(stream, fault);
            return;
        }

        stream.State |= StreamState.ReceivedEnd;
        stream.Events++;
        Events.OnTrailers(stream, fields);
        EndEvent(stream);
    }

    private void TakeResponse(Http2Stream stream, HeaderSection section)
    {
        var fault = MessageRules.Response(section, out var fields);
        if (fault == MessageFault.None)
        {
            fault = fields.Status < 200 ? JudgeInterim(stream) : JudgeFinal(stream, fields);
        }

        if (fault != MessageFault.None)
        {
            ResetMalformed(stream, fault);
            return;
        }

        if (_blockEndsStream)
        {
            stream.State |= StreamState.ReceivedEnd;
        }

        stream.Events++;
        Events.OnResponse(stream, fields, _blockEndsStream);
        EndEvent(stream);
    }

    private MessageFault JudgeInterim(Http2Stream stream) =>
        _blockEndsStream ? MessageFault.InterimInvalid
        : ++stream.InterimResponses > Limits.MaxInterimResponses ? MessageFault.TooManyInterim
        : MessageFault.None;

    private MessageFault JudgeFinal(Http2Stream stream, in Http2Fields fields)
    {
        stream.State |= StreamState.ReceivedHead;
        var isTunnel = stream.Is(StreamState.AskedConnect) && fields.Status < 300;
        var hasNoContent = stream.Is(StreamState.AskedHead) || fields.Status is 204 or 304;
        stream.Expected = isTunnel ? -1 : hasNoContent ? 0 : fields.ContentLength;

        // HEAD and 304 may say how long the content would be (RFC 9110 section 8.6); 204 may not, but has none in any case.
        return _blockEndsStream && stream.Expected > 0 ? MessageFault.LengthDiffers : MessageFault.None;
    }
}
