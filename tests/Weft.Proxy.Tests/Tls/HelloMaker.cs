// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;

namespace Weft.Proxy.Tests.Tls;

/// <summary>Writes ClientHellos, right ones and wrong ones.</summary>
internal sealed class HelloMaker
{
    private readonly List<(int Kind, byte[] Value)> _extensions = [];

    /// <summary>A hello with a name and protocols; empty ones are left out.</summary>
    internal static HelloMaker Of(string name, params string[] protocols)
    {
        var maker = new HelloMaker();
        if (name.Length > 0)
        {
            maker.With(0, List(2, [0, .. List(2, Encoding.Latin1.GetBytes(name))]));
        }

        return protocols.Length == 0 ? maker : maker.With(16, List(2, [.. protocols.SelectMany(p => List(1, Encoding.Latin1.GetBytes(p)))]));
    }

    internal HelloMaker With(int kind, byte[] value)
    {
        _extensions.Add((kind, value));
        return this;
    }

    /// <summary>The message without records.</summary>
    internal byte[] Message()
    {
        byte[] extensions = [.. _extensions.SelectMany(e => (byte[])[(byte)(e.Kind >> 8), (byte)e.Kind, .. List(2, e.Value)])];
        byte[] body = [3, 3, .. new byte[32], 0, .. List(2, [0x13, 0x01]), .. List(1, [0]), .. List(2, extensions)];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    /// <summary>The message, padded to a length without its head by an extension that nobody knows.</summary>
    internal byte[] Padded(int bodyBytes)
    {
        var missing = bodyBytes - (Message().Length - 4) - 4;
        return With(21, new byte[missing]).Message();
    }

    internal byte[] OneRecord() => Records(Message(), int.MaxValue);

    /// <summary>A message in records of so many bytes.</summary>
    internal static byte[] Records(byte[] message, int size) =>
        [.. message.Chunk(Math.Min(size, 16 * 1024)).SelectMany(part => (byte[])[22, 3, 1, .. List(2, part)])];

    internal static byte[] List(int prefix, byte[] value)
    {
        var head = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(head, (ushort)value.Length);
        return [.. head[(2 - prefix)..], .. value];
    }
}
