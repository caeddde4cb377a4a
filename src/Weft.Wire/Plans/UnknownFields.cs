// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Google.Protobuf;

namespace Weft.Wire.Plans;

/// <summary>
/// Which fields a message lost because our protos do not have them, found by comparing its bytes with what is left of it. Needs no
/// descriptors, so it works ahead of time too; fields are named by number, <c>3.2.44</c>.
/// </summary>
internal static class UnknownFields
{
    private const int MaxFound = 16;
    private const int MaxDepth = 32;
    private const int TagTypeBits = 3;

    private enum WireType
    {
        Varint = 0,
        Fixed64 = 1,
        Length = 2,
        Fixed32 = 5,
    }

    /// <summary>At most sixteen field paths.</summary>
    public static IReadOnlyList<string> Find(ReadOnlySpan<byte> original, ReadOnlySpan<byte> kept)
    {
        var found = new List<string>();
        Compare(original.ToArray(), kept.ToArray(), "", 0, found);
        return found;
    }

    private static void Compare(byte[] original, byte[] kept, string path, int depth, List<string> found)
    {
        if (depth == MaxDepth || !TryRead(original, out var before) || !TryRead(kept, out var after))
        {
            return;
        }

        foreach (var (number, values) in before)
        {
            var name = path + number.ToString(CultureInfo.InvariantCulture);
            if (found.Count == MaxFound)
            {
                return;
            }

            if (!after.TryGetValue(number, out var left))
            {
                found.Add(name);
                continue;
            }

            for (var i = 0; i < values.Count && i < left.Count; i++)
            {
                if (values[i] is { } whole && left[i] is { } part && whole.Length != part.Length)
                {
                    Compare(whole, part, name + ".", depth + 1, found);
                }
            }
        }
    }

    /// <summary>The fields of a message by number; length-delimited values with their bytes, others as null.</summary>
    private static bool TryRead(byte[] bytes, out SortedDictionary<int, List<byte[]?>> fields)
    {
        fields = [];
        var input = new CodedInputStream(bytes);
        try
        {
            while (input.ReadTag() is var tag && tag != 0)
            {
                var number = (int)(tag >> TagTypeBits);
                if (!fields.TryGetValue(number, out var values))
                {
                    fields.Add(number, values = []);
                }

                switch ((WireType)(tag & ((1 << TagTypeBits) - 1)))
                {
                    case WireType.Length:
                        values.Add(input.ReadBytes().ToByteArray());
                        break;
                    case WireType.Varint or WireType.Fixed64 or WireType.Fixed32:
                        input.SkipLastField();
                        values.Add(null);
                        break;
                    default:
                        return false;
                }
            }

            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }
}
