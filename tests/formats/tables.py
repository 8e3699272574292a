"""Label tables in the words of the programs that write them, and segments that need all that a table may hold."""

from ngffseg.model import Algorithm, Code, CodedRegion, Codes, Segment

LARGE = 2**63 + 5
# Of the documentation of 3D Slicer.
SLICER_CSV = """\
LabelValue,Name,Color_R,Color_G,Color_B,Color_A,Category_CodingScheme,Category_CodeValue,Category_CodeMeaning,\
Type_CodingScheme,Type_CodeValue,Type_CodeMeaning,TypeModifier_CodingScheme,TypeModifier_CodeValue,\
TypeModifier_CodeMeaning,Region_CodingScheme,Region_CodeValue,Region_CodeMeaning,RegionModifier_CodingScheme,\
RegionModifier_CodeValue,RegionModifier_CodeMeaning
1,left_kidney,185,102,83,255,SCT,123037004,Anatomical Structure,SCT,64033007,Kidney,SCT,7771000,Left,,,,,,
5,right_kidney,185,102,83,255,SCT,123037004,Anatomical Structure,SCT,64033007,Kidney,SCT,24028007,Right,,,,,,
6,right_kidney_mass,144,238,144,255,SCT,49755003,Morphologically Altered Structure,SCT,4147007,Mass,,,,SCT,64033007,\
Kidney,SCT,24028007,Right
10,catheter_renal_artery,127,127,127,255,SCT,260787004,Physical object,SCT,19923001,Catheter,,,,SCT,2841007,\
Renal artery,,,
"""
# As vtkMRMLColorTableStorageNode::WriteCsvFile writes it: texts are quoted, numbers are not.
SLICER_WRITTEN = """\
"LabelValue","Name","Color_R","Color_G","Color_B","Color_A","Category_CodingScheme","Category_CodeValue",\
"Category_CodeMeaning","Type_CodingScheme","Type_CodeValue","Type_CodeMeaning","TypeModifier_CodingScheme",\
"TypeModifier_CodeValue","TypeModifier_CodeMeaning","Region_CodingScheme","Region_CodeValue","Region_CodeMeaning",\
"RegionModifier_CodingScheme","RegionModifier_CodeValue","RegionModifier_CodeMeaning"
1,"left_kidney",185,102,83,255,"SCT","123037004","Anatomical Structure","SCT","64033007","Kidney","SCT","7771000",\
"Left","","","","","",""
10,"catheter, renal artery",127,127,127,128,"SCT","260787004","Physical object","SCT","19923001","Catheter","","","",\
"SCT","2841007","Renal artery","","",""
11,"plain",1,2,3,255,"","","","","","","","","","","","","","",""
"""
# A color table in which one is seen through.
SLICER_CTBL = """\
# Color table file Segmentation-label_ColorTable.ctbl
# 4 values
0 Background 0 0 0 0
1 artery 216 101 79 255
2 bone 241 214 145 128
3 connective_tissue 111 184 210 255
"""
# ColorLabelTable::SaveToFile of ITK-SNAP, space by space.
ITKSNAP = """\
################################################
# ITK-SnAP Label Description File
# File format: \n\
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields: \n\
#    IDX:   Zero-based index \n\
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    IDX:   Label mesh visibility (0 or 1)
#  LABEL:   Label description \n\
################################################
    0     0    0    0        0  0  0    "Clear Label"
    1   255    0    0        1  1  1    "LM 01"
  200   186  194  212        0  1  0    "Inner ERC/CS"
"""
# CTABprintASCII of FreeSurfer, under the heading of FreeSurferColorLUT.txt.
FREESURFER = """\
#No. Label Name:                            R   G   B   A

  0  Unknown                           0   0   0    0
  2  Left-Cerebral-White-Matter      245 245 245    0
 17  Left-Hippocampus                220 216  20    0
1035  ctx-lh-insula                   255 192  32   55
"""
# The examples of the BIDS specification.
BIDS = """\
index\tname\tabbreviation\tcolor\tmapping
100\tGray Matter\tGM\t#ff53bb\t1
101\tWhite Matter\tWM\t#2f8bbe\t2
102\tBrainstem\tBS\t#36de72\t11
"""
NNUNET = (
    '{"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1, "tumor": 2}, "numTraining": 3}'
)
TEXTS = {
    "slicer.csv": SLICER_CSV,
    "slicer.ctbl": SLICER_CTBL,
    "itksnap.txt": ITKSNAP,
    "freesurfer_lut.txt": FREESURFER,
    "dseg.tsv": BIDS,
    "dataset.json": NNUNET,
}


def code(text):
    return Code(f"T-{text}", "SCT", text)


# One of each thing that a segment can tell.
WHOLE = (
    Segment(1, name="left lung", color=(1, 128, 254, 255)),
    Segment(
        3,
        id="kidney 1",
        name='Müller 肝, <&> "x"; y\tz',
        color=(9, 9, 9, 128),
        codes=Codes(code("Tissue"), code("Kidney"), (code("Left"),), (CodedRegion(code("Abdomen"), (code("Right"),)),)),
        status="completed",
        algorithm=Algorithm("AUTOMATIC", "net"),
        tags=(("a", "b"),),
        properties={"abbreviation": "K", "mapping": 11, "area": 1.5, "checked": True, "code": "007", "list": [1, 2]},
    ),
    Segment(LARGE, name="no color", properties={"mapping": 2**53 + 1, "checked": False}),
)  # fmt: skip
