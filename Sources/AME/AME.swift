// AME
