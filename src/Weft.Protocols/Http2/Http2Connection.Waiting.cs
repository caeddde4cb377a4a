// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http2;

/// <content>Streams that wait to send: who goes on next when there is room, and who has waited too long.</content>
public sealed partial class Http2Connection
{
    private Http2Stream? _firstWaiting;
    private Http2Stream? _lastWaiting;
    private int _waiting;

    /// <summary>The stream has more to send than <paramref name="taken"/>.</summary>
    private void Wait(Http2Stream stream, int taken)
    {
        if (stream.Is(StreamState.Waiting))
        {
            stream.WaitedMs += _nowMs - stream.WaitingSinceMs;
            StopWaiting(stream);
        }

        stream.SentWhileWaiting += taken;
        if (stream.SentWhileWaiting >= Limits.MinStallProgressBytes)
        {
            stream.WaitedMs = 0;
            stream.SentWhileWaiting = 0;
        }

        stream.WaitingSinceMs = _nowMs;
        Queue(stream);
    }

    /// <summary>Puts a stream at the end of the list, so that streams take turns.</summary>
    private void Queue(Http2Stream stream)
    {
        _waiting++;
        stream.State |= StreamState.Waiting;
        stream.PreviousWaiting = _lastWaiting;
        if (_lastWaiting is null)
        {
            _firstWaiting = stream;
        }
        else
        {
            _lastWaiting.NextWaiting = stream;
        }

        _lastWaiting = stream;
    }

    private void StopWaiting(Http2Stream stream)
    {
        if (!stream.Is(StreamState.Waiting))
        {
            return;
        }

        _waiting--;
        stream.State &= ~StreamState.Waiting;
        if (stream.PreviousWaiting is { } previous)
        {
            previous.NextWaiting = stream.NextWaiting;
        }
        else
        {
            _firstWaiting = stream.NextWaiting;
        }

        if (stream.NextWaiting is { } next)
        {
            next.PreviousWaiting = stream.PreviousWaiting;
        }
        else
        {
            _lastWaiting = stream.PreviousWaiting;
        }

        stream.NextWaiting = null;
        stream.PreviousWaiting = null;
    }

    private void Wake(Http2Stream stream)
    {
        StopWaiting(stream);
        stream.WaitedMs += _nowMs - stream.WaitingSinceMs;
        stream.Events++;
        Events.OnWritable(stream);
        EndEvent(stream);
    }

    /// <summary>Lets each waiting stream try once, in turn, while the connection has room.</summary>
    private void WakeWaiting()
    {
        // Events change the list in any way, so nothing but its front is relied on; who falls short again goes to its end.
        for (var left = _waiting; left > 0 && _firstWaiting is { } stream; left--)
        {
            if (Failure is not null || _sendWindow <= 0 || _output.Length >= Limits.MaxQueuedOutputBytes)
            {
                return;
            }

            if (stream.SendWindow > 0)
            {
                Wake(stream);
            }
            else
            {
                StopWaiting(stream);
                Queue(stream);
            }
        }
    }

    private void ResetStalled()
    {
        for (var stream = _firstWaiting; stream is not null && Failure is null;)
        {
            var next = stream.NextWaiting;
            if (stream.WaitedMs + _nowMs - stream.WaitingSinceMs >= Limits.StallMs)
            {
                Pool.Count.StalledStreams++;
                WriteReset(stream.Id, Http2ErrorCode.Cancel);
                EndEarly(stream, Http2ErrorCode.Cancel, Http2ResetBy.Stall);
                CountForcedReset();

                // The event may have changed the list.
                next = _firstWaiting;
            }

            stream = next;
        }
    }
}
