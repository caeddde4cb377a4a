// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Proxy.Tls;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Tls;

/// <summary>
/// A peer behind a handshake that does anything. Bytes cannot be mutated into sealed records, so an input is a script: pairs of what to do and
/// with how much.
/// </summary>
public sealed class TlsFuzzTests : IDisposable
{
    private readonly TlsScene _scene = new();
    private readonly StringBuilder _sealed = new();
    private readonly StringBuilder _written = new();
    private readonly List<byte> _wire = [];
    private bool _isHonest;
    private bool _mayFail;

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Fuzz_no_bytes_break_the_reader_and_only_what_was_sealed_arrives()
    {
        byte[][] corpus =
        [
            [0, 5, 8, 3, 0, 200, 8, 1, 8, 255],
            [0, 255, 0, 255, 0, 255, 8, 100, 3, 1, 0, 9, 8, 20, 7, 9, 8, 60],
            [0, 3, 1, 0, 0, 4, 8, 255, 9, 7, 7, 40],
            [3, 0, 3, 1, 3, 1, 7, 5, 0, 3, 8, 2, 7, 5],
            [4, 2, 0, 5, 8, 255],
            [0, 5, 5, 30, 8, 255, 0, 5, 8, 255],
            [0, 9, 6, 7, 8, 255],
            [2, 3, 2, 4, 1, 0, 1, 0, 0, 2, 8, 255],
        ];
        var find = new FuzzDriver(corpus, ["\0\x05", "\x03\x01", "\x08\x01", "\x07\x20", "\x01\0"], maxLength: 300).Run(
            Play, seed: 20261121, iterations: 150, TimeProvider.System);
        Assert.True(find is null, find?.ToString());
    }

    private void Play(byte[] script)
    {
        _scene.MeetAgain();
        _sealed.Clear();
        _written.Clear();
        _wire.Clear();
        (_isHonest, _mayFail) = (true, false);
        for (var i = 0; i + 1 < script.Length; i += 2)
        {
            Do(script[i] % 10, script[i + 1], i);
        }

        Deliver(_wire.Count);
        var heard = _scene.Heard.Text.ToString();
        Assert.StartsWith(heard, _sealed.ToString(), StringComparison.Ordinal);
        if (_isHonest && !_mayFail)
        {
            Assert.Null(_scene.Heard.Failure);
            Assert.Equal(_sealed.ToString(), heard);
        }

        Assert.Equal(_scene.Heard.Failure is not null, _scene.Wire.IsEnded);
        Assert.True(_scene.Engine.Output.IsEmpty);
        AssertAnswers();
    }

    private void Do(int what, byte amount, int at)
    {
        switch (what)
        {
            case 0:
                // Up to the longest record.
                var text = new string((char)('a' + (at % 26)), amount < 200 ? amount : amount * TlsRecords.LongestPlain / 255);
                _mayFail |= text.Length == 0;
                _sealed.Append(text);
                _wire.AddRange(_scene.Text(text));
                break;
            case 1:
                _mayFail = true;
                _wire.AddRange(_scene.Sealed((RecordType)(amount % 26), new byte[amount / 26]));
                _isHonest &= amount % 26 != (int)RecordType.Data;
                _sealed.Append('\0', amount % 26 == (int)RecordType.Data ? amount / 26 : 0);
                break;
            case 2:
                _mayFail = true;
                _wire.AddRange(_scene.Sealed(RecordType.Handshake, [.. new byte[] { 24, 0, 0, 1, amount }.Take(1 + (amount % 5))]));
                break;
            case 3:
                // So many in a row are allowed, whatever else the script does.
                _mayFail |= at > 2 * TlsChannel.IdleRecordLimit;
                _wire.AddRange(_scene.Sealed(RecordType.Handshake, 24, 0, 0, 1, (byte)(amount % 2)));
                _scene.Client.TurnWritingKey();
                break;
            case 4:
                _mayFail = true;
                _wire.AddRange(_scene.Sealed(RecordType.Alert, 1, amount));
                break;
            case 5:
                _isHonest = false;
                _wire.AddRange(Enumerable.Range(0, amount).Select(i => (byte)((i * 31) + at)));
                break;
            case 6 when _wire.Count > 0:
                _isHonest = false;
                _wire[amount % _wire.Count] ^= (byte)(1 << (at % 8));
                break;
            case 7 when _scene.Heard.Failure is null:
                var answer = new string('A', amount);
                _written.Append(answer);
                _scene.Channel.Write(Encoding.ASCII.GetBytes(answer));
                break;
            case 8:
                Deliver(amount < 128 ? amount : amount * 100);
                break;
            case 9 when _wire.Count > 0:
                _isHonest = false;
                _wire.RemoveAt(amount % _wire.Count);
                break;
            default:
                break;
        }
    }

    private void Deliver(int count)
    {
        count = Math.Min(count, _wire.Count);
        var part = _wire.GetRange(0, count).ToArray();
        _wire.RemoveRange(0, count);
        if (_scene.Wire.IsOpen && count > 0)
        {
            _scene.Channel.OnData(part);
        }
    }

    /// <summary>Whatever came in, what goes out are good records of what was written.</summary>
    private void AssertAnswers()
    {
        var said = new StringBuilder();
        while (_scene.Wire.Written.Count > 0)
        {
            var (type, content) = _scene.NextAnswer();
            switch (type)
            {
                case RecordType.Data:
                    said.Append(Encoding.ASCII.GetString(Convert.FromHexString(content)));
                    break;
                case RecordType.Handshake:
                    Assert.Equal("1800000100", content);
                    _scene.Client.TurnReadingKey();
                    break;
                default:
                    Assert.Equal(RecordType.Alert, type);
                    Assert.Equal(2, byte.Parse(content[..2], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    break;
            }
        }

        Assert.Equal(_written.ToString(), said.ToString());
    }
}
